import { parseArgs } from "node:util";
import { INSTALL_HELP, INSTALL_OPTIONS } from "../fleet/installation.ts";
import { CLUSTER_HELP, CLUSTER_OPTIONS } from "../kubernetes/kubeconfig.ts";
import { type Applied, apply, podOf } from "./applied.ts";
import { askedOf, settle } from "./asked.ts";
import { explainedJson, explainedText } from "./explain-report.ts";
import { BadInput, type Io, print, run, STATUS } from "./io.ts";
import { type Objects, readObjects } from "./objects.ts";
import { SETTING_HELP, SETTING_OPTIONS, type Setting, settingOf } from "./setting.ts";

const HELP = `sallyport explain: whether a connection would pass, by which rule, and what would permit it

  sallyport explain -f FILE … URL            http://… or https://…; its path and query do not matter
  sallyport explain -f FILE … HOST:PORT      also ADDRESS:PORT, [ADDRESS]:PORT
  sallyport explain POD URL|HOST:PORT        by the policy that its sidecar has now; or deployment/NAME, …

      --name NAME           the name that the app gives (TLS server name, Host), where it connects to an address
      --protocol PROTOCOL   what it speaks: tls, http, or tcp for anything else; otherwise what the URL says, or tls on
                            443, http on 80, and elsewhere what the rules speak of. An app that has TLS spoken for it
                            (a rule with https): --protocol http
${SETTING_HELP}text or json
${INSTALL_HELP}
${CLUSTER_HELP}
  -h, --help

Of a pod its labels and the cluster's ranges are known: --labels, --namespace-labels and --cluster are for files. A name
resolves to what is given (--answer), to what the sidecar found last, or to what a Service of that name has.
A host of which no answer is given and none asked for is taken to resolve to a public address; what was assumed is said.
Of files, where no boundary says the mode, it is enforce.

Exit status: 0 it would pass; 1 it would be refused; 2 the arguments or the files are wrong; 3 the cluster, or the pod's
sidecar, cannot be asked.
`;

export function explainCommand(args: readonly string[], io: Io): Promise<number> {
  return run("explain", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...SETTING_OPTIONS,
        ...CLUSTER_OPTIONS,
        ...INSTALL_OPTIONS,
        name: { type: "string" },
        protocol: { type: "string" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.holds;
    }
    if (values.file === undefined && isOfPod(positionals)) {
      const { explainPod } = await import("../explain/pod.ts");
      const asked = askedOf(positionals.slice(-1), values);
      return await explainPod(positionals.slice(0, -1), asked, values, io);
    }
    const asked = askedOf(positionals, values);
    const setting = settingOf(values, ["text", "json"], asked.mistakes);
    const objects = await readObjects(setting.files, io);
    await print(io.stderr, objects.skippedLine());
    const { namespace, note } = namespaceOf(objects, setting.namespace);
    const pod = podOf(namespace, setting.labels ?? {}, setting.namespaceLabels);
    const applied = apply(objects, pod, { mode: "enforce", cluster: setting.cluster });
    const finding = await settle(applied, { ...asked, answers: setting.answers }, setting);
    const notes = [...note, ...othersNote(applied, setting)];
    const explained = { applied, finding, to: asked.to, notes };
    await print(
      io.stdout,
      values.output === "json"
        ? [JSON.stringify(explainedJson(explained), null, 2)]
        : explainedText(explained),
    );
    return finding.verdict.verdict === "allow" ? STATUS.holds : STATUS.fails;
  });
}

/** Words before the destination name a pod; one with a colon is a destination too many. */
function isOfPod(positionals: readonly string[]): boolean {
  const words = positionals.slice(0, -1);
  return words.length > 0 && words.every((word) => !word.includes(":"));
}

/** The rules' own namespace, where they have but one. */
function namespaceOf(objects: Objects, given: string | undefined) {
  if (given !== undefined) return { namespace: given, note: [] };
  const named = objects.rules.flatMap(({ metadata }) => metadata.namespace ?? []);
  const [namespace = "default", ...more] = new Set(named);
  if (more.length > 0)
    throw new BadInput([
      `the rules are of several namespaces: say which one the pod is in with --namespace ${[namespace, ...more].join("|")}`,
    ]);
  return { namespace, note: [`the pod is in namespace ${namespace}`] };
}

function othersNote({ others }: Applied, { labels }: Setting): string[] {
  if (labels || others.length === 0) return [];
  return [`the pod has no labels, so these do not apply (see --labels): ${others.join("; ")}`];
}
