import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bed } from "./bed.ts";
import { pathOf } from "./programs.ts";
import { NOBODY, serve } from "./serve.ts";
import type { WebOptions } from "./web.ts";

/** Real servers in the world of a bed, each on its usual port of every address, with fresh data in the bed's folder. */

const NOBODY_ID = 65_534;

/** HTTP on port 80, HTTPS on port 443; gives the folder of the repositories it serves under /git/. */
export async function startWeb({ world, certificate, key, folder }: Bed): Promise<string> {
  const gitRoot = join(folder, "repositories");
  mkdirSync(gitRoot);
  const options: WebOptions = { certificate, key, gitRoot };
  const main = join(import.meta.dirname, "web-main.ts");
  await serve(world, [process.execPath, main, JSON.stringify(options)], /^ready$/);
  return gitRoot;
}

export async function startMail({ world, certificate, key }: Bed): Promise<void> {
  const main = join(import.meta.dirname, "mail-main.ts");
  await serve(world, [process.execPath, main, certificate, key], /^ready$/);
}

export async function startGrpc({ world, certificate, key }: Bed, port: number): Promise<void> {
  const main = join(import.meta.dirname, "grpc_server.py");
  await serve(world, ["/usr/bin/python3", main, certificate, key, String(port)], /^ready$/);
}

/** PostgreSQL on port 5432, that takes TLS and passwords only: user `app`, password `secret`. */
export async function startPostgres(bed: Bed): Promise<void> {
  const data = folderOfNobody(bed, "postgres");
  const bin = dirname(realPathOf("postgres"));
  const password = join(data, "password");
  writeFileSync(password, "secret");
  const cluster = join(data, "cluster");
  asNobody(
    ...[join(bin, "initdb"), "--no-sync", "--no-instructions", "-D", cluster, "-U", "app"],
    ...["--pwfile", password, "-A", "scram-sha-256"],
  );
  const certificate = join(data, "certificate.pem");
  const key = join(data, "key.pem");
  for (const [from, to] of [
    [bed.certificate, certificate],
    [bed.key, key],
  ] as const) {
    copyFileSync(from, to);
    chownSync(to, NOBODY_ID, NOBODY_ID);
    chmodSync(to, 0o600);
  }
  writeFileSync(join(cluster, "pg_hba.conf"), "hostssl all all all scram-sha-256\n");
  const settings = {
    listen_addresses: "*",
    unix_socket_directories: data,
    ssl: "on",
    ssl_cert_file: certificate,
    ssl_key_file: key,
    fsync: "off",
    dynamic_shared_memory_type: "mmap",
  };
  const arguments_ = Object.entries(settings).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  await serve(
    bed.world,
    // Its System V segment, which would outlive a server that is killed, goes with the namespace.
    ["unshare", "--ipc", ...NOBODY, join(bin, "postgres"), "-D", cluster, ...arguments_],
    /database system is ready to accept connections/,
  );
}

/** MariaDB on port 3306: user `app`, password `secret`. */
export async function startMariadb(bed: Bed): Promise<void> {
  const data = folderOfNobody(bed, "mariadb");
  const tables = join(data, "tables");
  asNobody(
    ...["mariadb-install-db", "--no-defaults", `--datadir=${tables}`, "--skip-test-db"],
    ...["--auth-root-authentication-method=normal", "--innodb-log-file-size=4M"],
  );
  const init = join(data, "init.sql");
  writeFileSync(init, "CREATE USER app@'%' IDENTIFIED BY 'secret';\n");
  await serve(
    bed.world,
    [
      ...NOBODY,
      ...["mariadbd", "--no-defaults", `--datadir=${tables}`, `--socket=${join(data, "socket")}`],
      ...["--bind-address=*", `--init-file=${init}`, "--innodb-log-file-size=4M"],
    ],
    /ready for connections/,
  );
}

/** Redis on port 6379. */
export async function startRedis(bed: Bed): Promise<void> {
  // The program looks at the name that it is run by.
  const settings = ["--protected-mode no", "--save ''", "--bind '*'", `--dir ${bed.folder}`];
  const script = `exec -a redis-server ${realPathOf("redis-check-rdb")} ${settings.join(" ")}`;
  await serve(bed.world, [...NOBODY, "bash", "-c", script], /Ready to accept connections/);
}

/** Dropbear on port 22, for root by the key whose file this gives. */
export async function startSsh({ world, folder }: Bed): Promise<string> {
  // It looks for keys in root's home only: this one is root's where nobody else sees it.
  const home = join(folder, "ssh");
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  const [host, own] = [join(home, "host"), join(home, "id_ed25519")];
  execFileSync("dropbearkey", ["-t", "ed25519", "-f", host], { stdio: "ignore" });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", own]);
  copyFileSync(`${own}.pub`, join(home, ".ssh/authorized_keys"));
  const script = 'mount --bind "$0" /root && exec dropbear -F -E -s -r /root/host -p 22';
  await serve(
    world,
    ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, home],
    /Not backgrounding/,
  );
  return own;
}

function folderOfNobody({ folder }: Bed, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  chownSync(path, NOBODY_ID, NOBODY_ID);
  return path;
}

function asNobody(...argv: readonly string[]): void {
  const [command = "", ...args] = [...NOBODY, ...argv];
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"], cwd: "/" });
}

function realPathOf(program: string): string {
  const path = pathOf(program);
  if (!path) throw new Error(`${program} is not installed`);
  return path;
}
