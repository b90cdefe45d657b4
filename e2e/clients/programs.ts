import { existsSync, globSync } from "node:fs";
import { resolve } from "node:path";

/** What the tests with real clients run, and the Debian package that has it: `prepare.ts clients` installs them. */
export const PROGRAMS = {
  curl: "curl",
  wget: "wget",
  git: "git",
  openssl: "openssl",
  python3: "python3",
  psql: "postgresql-client",
  postgres: "postgresql",
  "redis-cli": "redis-tools",
  // Debian's redis-server is a link to it, in a package that also starts a service.
  "redis-check-rdb": "redis-tools",
  mariadb: "mariadb-client-core",
  mariadbd: "mariadb-server-core",
  ssh: "openssh-client",
  dropbear: "dropbear-bin",
  chromium: "chromium",
  "/usr/lib/python3/dist-packages/grpc": "python3-grpcio",
  "/usr/lib/python3/dist-packages/requests": "python3-requests",
  "/usr/lib/python3/dist-packages/websockets": "python3-websockets",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
} as const;

/** Not installed for a test: what these need is over 100 MB. */
const LARGE = { javac: "default-jdk-headless" } as const;

export type Program = keyof typeof PROGRAMS | keyof typeof LARGE;

const FOLDERS = [
  ...["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"],
  ...globSync("/usr/lib/postgresql/*/bin"),
];

/** Where it is installed, if it is. */
export function pathOf(program: string): string | undefined {
  return FOLDERS.map((folder) => resolve(folder, program)).find((path) => existsSync(path));
}

/** For a test's `skip`: what is missing and how to get it; false where nothing is. */
export function lacking(...programs: readonly Program[]): string | false {
  const all = { ...PROGRAMS, ...LARGE };
  const packages = [...new Set(programs.filter((each) => !pathOf(each)).map((each) => all[each]))];
  return packages.length > 0 && `NOT TESTED HERE: apt-get install ${packages.join(" ")}`;
}
