import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { INSTALL_HELP, INSTALL_OPTIONS } from "../fleet/installation.ts";
import { podPolicy, surroundingsOf } from "../fleet/pod-policy.ts";
import { onCluster } from "../kubernetes/access.ts";
import { CLUSTER_HELP, CLUSTER_OPTIONS } from "../kubernetes/kubeconfig.ts";
import { BadInput, type Io, print, run } from "../policy/io.ts";
import { podsToAsk } from "../stats/pods.ts";
import { parseTarget } from "../stats/target.ts";
import { policyJson, policyText } from "./report.ts";

const HELP = `sallyport get: the policy that a pod's sidecar has in force, and where each part of it comes from

  sallyport get POD                 or pod/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, job/NAME
  sallyport get NAME                the pod of that name, or else the deployment

  -n, --namespace NAME        otherwise that of the context
      --all                   every pod of a workload, one after the other
  -o, --output FORMAT         text, json or yaml
${INSTALL_HELP}
${CLUSTER_HELP}
  -h, --help

The sidecar itself is asked, through the API server as kubectl port-forward does (create on pods/portforward). What it has
is compared with what the cluster's rules and boundaries give, as far as they may be read.

Exit status: 0 done; 1 the sidecar cannot be asked; 2 the arguments are wrong; 3 the cluster cannot be reached.
`;

const STATUS = { done: 0, failed: 1, unreachable: 3 } as const;
const FORMATS = ["text", "json", "yaml"];

export function getCommand(args: readonly string[], io: Io): Promise<number> {
  return run("get", io, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        ...INSTALL_OPTIONS,
        namespace: { type: "string", short: "n" },
        all: { type: "boolean", default: false },
        output: { type: "string", short: "o", default: "text" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      await print(io.stdout, [HELP.trimEnd()]);
      return STATUS.done;
    }
    const { output, all } = values;
    if (!FORMATS.includes(output))
      throw new BadInput([`--output ${output}: expected ${FORMATS.join(", ")}`]);
    const target = parseTarget(positionals);
    return await onCluster("get", io, values, STATUS, async (access) => {
      const { rest, namespace } = access;
      const pods = await podsToAsk(rest, namespace, target, { words: positionals, all });
      const around = await surroundingsOf(rest, namespace, values["install-namespace"]);
      const policies = await Promise.all(pods.map((pod) => podPolicy(access, pod, around)));
      if (output === "text")
        await print(
          io.stdout,
          policies.flatMap((policy, i) => [...(i > 0 ? [""] : []), ...policyText(policy)]),
        );
      else {
        const told = policies.map(policyJson);
        const value = all ? told : told[0];
        await print(io.stdout, [
          output === "json" ? JSON.stringify(value, null, 2) : stringify(value).trimEnd(),
        ]);
      }
      return STATUS.done;
    });
  });
}
