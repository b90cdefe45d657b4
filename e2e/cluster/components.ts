import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Component {
  /** Whose version is the component's, as its go.mod requires it; without one the component is ours alone. */
  readonly module?: string;
  /** Program → the package that is its main. */
  readonly programs: Readonly<Record<string, string>>;
  /** What the linker writes into the programs, so that they know who they are. */
  readonly stamps?: (version: string) => Readonly<Record<string, string>>;
}

/** A program whose main.go is ours, beside the go.mod. */
const OWN_MAIN = ".";

/** What a cluster is made of, each with a module of its own under components/ that says the version. */
export const COMPONENTS = {
  kubernetes: {
    module: "k8s.io/kubernetes",
    programs: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
      kubelet: "k8s.io/kubernetes/cmd/kubelet",
      "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
    },
    // As hack/lib/version.sh of Kubernetes does; without them every component says v0.0.0-master.
    stamps: (version) => {
      const [major = "", minor = ""] = version.split(".");
      const stamps = {
        gitVersion: `v${version}`,
        gitMajor: major,
        gitMinor: minor,
        gitTreeState: "clean",
      };
      return Object.fromEntries(
        ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((target) =>
          Object.entries(stamps).map(([name, value]) => [`${target}.${name}`, value]),
        ),
      );
    },
  },
  etcd: {
    module: "go.etcd.io/etcd/server/v3",
    programs: { etcd: "go.etcd.io/etcd/server/v3" },
  },
  coredns: { module: "github.com/coredns/coredns", programs: { coredns: OWN_MAIN } },
  pause: { programs: { pause: OWN_MAIN } },
  helm: {
    module: "helm.sh/helm/v3",
    programs: { helm: "helm.sh/helm/v3/cmd/helm" },
    stamps: (version) => ({
      "helm.sh/helm/v3/internal/version.version": `v${version}`,
      "helm.sh/helm/v3/internal/version.gitTreeState": "clean",
    }),
  },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof COMPONENTS;

type ProgramsOf<C> = C extends { readonly programs: infer P } ? keyof P : never;
export type Program = ProgramsOf<(typeof COMPONENTS)[ComponentName]>;

const OWNERS = new Map(
  Object.entries(COMPONENTS).flatMap(([component, { programs }]) =>
    Object.keys(programs).map((program) => [program as Program, component as ComponentName]),
  ),
);

export const PROGRAMS: readonly Program[] = [...OWNERS.keys()];

export const componentOf = (program: Program): ComponentName =>
  OWNERS.get(program) as ComponentName;

export const componentFor = (name: ComponentName): Component => COMPONENTS[name];

/** The folder with the component's go.mod. */
export const moduleFolder = (name: ComponentName): string =>
  join(import.meta.dirname, "components", name);

/** The version that the component's go.mod pins, without the v, and a mark of our own main.go where there is one. */
export function pinnedVersion(name: ComponentName): string {
  const { module, programs } = componentFor(name);
  const folder = moduleFolder(name);
  const required = module && requiredVersion(join(folder, "go.mod"), module);
  const own = Object.values(programs).includes(OWN_MAIN)
    ? createHash("sha256")
        .update(readFileSync(join(folder, "main.go")))
        .digest("hex")
        .slice(0, 8)
    : undefined;
  return [required, own].filter(Boolean).join("-");
}

function requiredVersion(file: string, wanted: string): string {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, module, version] = /^(?:require)?\s+(\S+) v(\S+)/.exec(line) ?? [];
    if (module === wanted && version) return version;
  }
  throw new Error(`${file} does not require ${wanted}`);
}
