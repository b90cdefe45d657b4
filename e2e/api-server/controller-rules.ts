import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { loadAllYaml, type V1PolicyRule } from "@kubernetes/client-node";
import { REPLICAS_CONFIG_MAP } from "@sallyport/controller/status/presence";
import { sources } from "../cluster/environment.ts";
import { findPrograms, requirePrograms } from "../cluster/programs.ts";

const CHART = join(import.meta.dirname, "../../charts/sallyport");

export interface ControllerRules {
  readonly namespaced: V1PolicyRule[];
  readonly cluster: V1PolicyRule[];
}

/** For a test's `skip`: false where `controllerRules` can be called. */
export function lackingHelm(): string | false {
  const found = findPrograms(["helm"], sources());
  return "missing" in found && `NOT TESTED HERE: ${found.missing}`;
}

/** What the chart permits a controller, for objects of other names: each that an option names becomes `name`. */
export function controllerRules(name: string): ControllerRules {
  const { helm } = requirePrograms(["helm"], sources());
  const text = execFileSync(
    helm,
    ["template", "sallyport", CHART, "--show-only=templates/rbac.yaml", "--kube-version=1.34.4"],
    { encoding: "utf8" },
  );
  const objects = loadAllYaml(text) as { kind: string; rules?: V1PolicyRule[] }[];
  const rulesOf = (kind: string) =>
    (objects.find((each) => each.kind === kind)?.rules ?? []).map((rule) => ({
      ...rule,
      ...(rule.resourceNames &&
        !rule.resourceNames.includes(REPLICAS_CONFIG_MAP) && { resourceNames: [name] }),
    }));
  return { namespaced: rulesOf("Role"), cluster: rulesOf("ClusterRole") };
}
