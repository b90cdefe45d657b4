/**
 * Brings what a command needs and npm cannot: `prepare.ts addon network` compiles the addon and sees to iptables and
 * iproute2; `prepare.ts clients` installs the programs that e2e/real-clients-*.test.ts run, database servers among them,
 * without which those tests are skipped; `prepare.ts cluster` installs what a whole cluster and its images are made with.
 * Kubernetes itself is built from Go modules by those who need it (e2e/cluster/build.ts). Nothing is done twice; what is missing and cannot be installed is said in one
 * line.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { PROGRAMS, pathOf } from "../e2e/clients/programs.ts";
import { INSTALLED } from "../e2e/cluster/whole/needs.ts";
import { buildAddon } from "../proxy/native/build.ts";

const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
const isRoot = process.getuid?.() === 0;

function missing(programs: Readonly<Record<string, string>>): string[] {
  const found = (program: string) =>
    PATH.split(":").some((folder) => existsSync(`${folder}/${program}`)) || pathOf(program);
  return Object.entries(programs)
    .filter(([program]) => !found(program))
    .map(([, debianPackage]) => debianPackage);
}

function install(packages: readonly string[], ...options: readonly string[]): boolean {
  console.error(`installing ${packages.join(", ")} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: string[]) =>
    spawnSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  if (apt("install", "-y", ...options, ...packages).status === 0) return true;
  apt("update");
  const { status, stderr } = apt("install", "-y", ...options, ...packages);
  if (status !== 0) console.error(String(stderr ?? "apt-get is not here").trim());
  return status === 0;
}

/** True when the programs are there, or are now; `required` says whether going on without them makes sense. */
function ensure(
  programs: Readonly<Record<string, string>>,
  required: boolean,
  ...options: readonly string[]
): void {
  const packages = [...new Set(missing(programs))];
  if (packages.length === 0) return;
  if (isRoot && install(packages, ...options)) return;
  if (!isRoot && !required) return;
  console.error(
    `missing: ${packages.join(", ")}. Install them: apt-get install ${packages.join(" ")}`,
  );
  process.exitCode = 1;
}

const wanted = new Set(process.argv.slice(2));
if (wanted.has("network"))
  ensure(
    { iptables: "iptables", ip: "iproute2", unshare: "util-linux", setpriv: "util-linux" },
    false,
  );
if (wanted.has("clients")) ensure(PROGRAMS, true, "--no-install-recommends");
// A KUBECONFIG's cluster needs none of it, and says itself what it lacks.
if (wanted.has("cluster")) {
  const hasBuilder = ["docker", "podman"].some((tool) => spawnSync(tool, ["info"]).status === 0);
  const builder = hasBuilder ? {} : { buildah: "buildah" };
  ensure({ ...INSTALLED, ...builder }, false, "--no-install-recommends");
}
if (wanted.has("addon") && !process.exitCode) {
  const compiler = process.env.CC;
  if (!compiler) ensure({ cc: "gcc" }, true);
  if (!process.exitCode) {
    try {
      if (buildAddon()) console.error("compiled the addon");
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = 1;
    }
  }
}
