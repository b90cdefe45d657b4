import { parseArgs } from "node:util";
import { pasteable } from "@sallyport/core/explanation";
import { canonicalName } from "@sallyport/core/hostname";
import { type Applied, apply, podOf } from "./applied.ts";
import { type Asked, ask, type Finding, type Question } from "./ask.ts";
import { type Destination, formatDestination, parseDestination } from "./destination.ts";
import { findingJson, linesOf, whyRefused } from "./finding.ts";
import { BadInput, type Io, print, run, STATUS } from "./io.ts";
import { type Objects, readObjects } from "./objects.ts";
import { SETTING_HELP, SETTING_OPTIONS, type Setting, settingOf } from "./setting.ts";
import { SPOKEN, type Spoken } from "./spoken.ts";
import { isUrl, parseUrl } from "./url.ts";

const HELP = `sallyport explain: whether a connection would pass, by which rule, and what would permit it

  sallyport explain -f FILE … URL            http://… or https://…; its path and query do not matter
  sallyport explain -f FILE … HOST:PORT      also ADDRESS:PORT, [ADDRESS]:PORT

      --name NAME           the name that the app gives (TLS server name, Host), where it connects to an address
      --protocol PROTOCOL   what it speaks: tls, http, or tcp for anything else; otherwise what the URL says, or tls on
                            443, http on 80, and elsewhere what the rules speak of. An app that has TLS spoken for it
                            (a rule with https): --protocol http
${SETTING_HELP}text or json
  -h, --help

A host of which no answer is given and none asked for is taken to resolve to a public address; what was assumed is said.
Where no boundary says the mode, it is enforce.

Exit status: 0 it would pass; 1 it would be refused; 2 the arguments or the files are wrong.
`;

export function explainCommand(args: readonly string[], io: Io): Promise<number> {
  return run("explain", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...SETTING_OPTIONS, name: { type: "string" }, protocol: { type: "string" } },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.holds;
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
    await print(
      io.stdout,
      values.output === "json"
        ? [
            JSON.stringify(
              { ...findingJson(applied, finding), destination: formatDestination(asked.to), notes },
              null,
              2,
            ),
          ]
        : report(applied, finding, asked.to, notes),
    );
    return finding.verdict.verdict === "allow" ? STATUS.holds : STATUS.fails;
  });
}

interface Arguments {
  readonly to: Destination;
  readonly says?: string;
  readonly protocol?: Spoken | undefined;
  readonly mistakes: readonly string[];
}

function askedOf(
  positionals: readonly string[],
  { name, protocol }: { name?: string; protocol?: string },
): Arguments {
  const mistakes: string[] = [];
  const [text, ...more] = positionals;
  if (text === undefined)
    mistakes.push("which destination? a URL, or HOST:PORT, for example api.example.com:443");
  if (more.length > 0) mistakes.push(`one destination at a time: what is ${more.join(" ")}?`);
  const goal = goalOf(text);
  if (goal instanceof Error) mistakes.push(goal.message);
  const { to, protocol: usual } = goal instanceof Error ? NOWHERE : goal;
  if (usual && name !== undefined)
    mistakes.push(`--name ${name}: a URL gives its own name; write HOST:PORT or ADDRESS:PORT`);
  const says = name === undefined ? undefined : canonicalName(name);
  if (name !== undefined && says === undefined) mistakes.push(`--name ${name}: it is no DNS name`);
  const spoken = SPOKEN.find((each) => each === protocol);
  if (protocol !== undefined && !spoken)
    mistakes.push(`--protocol ${protocol}: expected ${SPOKEN.join(", ")}`);
  return {
    to,
    ...(says !== undefined && { says }),
    protocol: spoken ?? usual,
    mistakes,
  };
}

const NOWHERE: Pick<Arguments, "to" | "protocol"> = { to: { port: 0 } };

function goalOf(text: string | undefined): Pick<Arguments, "to" | "protocol"> | Error {
  if (text === undefined) return NOWHERE;
  if (isUrl(text)) return parseUrl(text);
  const to = parseDestination(text);
  return to instanceof Error ? to : { to };
}

/** Asks DNS for what is lacking, where that is wanted. */
async function settle(
  applied: Applied,
  asked: Omit<Question, "assume">,
  { resolve }: Setting,
): Promise<Finding> {
  const answers = new Map(asked.answers);
  for (;;) {
    const found: Asked = ask(applied, { ...asked, answers, assume: !resolve });
    if (!("names" in found)) return found;
    for (const name of found.names) answers.set(name, (await resolve?.(name)) ?? []);
  }
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

function report(
  applied: Applied,
  finding: Finding,
  to: Destination,
  notes: readonly string[],
): string[] {
  const { verdict, assumed } = finding;
  const refusal = whyRefused(applied, finding);
  const word =
    verdict.verdict === "deny"
      ? "is refused"
      : refusal
        ? "passes, but only because a boundary says audit"
        : "is allowed";
  const mark = verdict.verdict === "deny" ? "✗" : "✓";
  const details = linesOf({ ...finding, assumed: [...assumed, ...notes] }, refusal);
  const rule = refusal ? pasteable(refusal) : [];
  return [
    `${mark} ${formatDestination(to)} ${word} (${refusal?.reason ?? verdict.reason})`,
    ...details,
    ...(rule.length > 0 ? ["", ...rule] : []),
  ];
}
