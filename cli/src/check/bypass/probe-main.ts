/**
 * Tries, from inside a pod, what it is told by its argument (a Task as JSON), and says what it saw as one line of JSON.
 * Its text is what runs: Node is given it as it is, in a container that has nothing else, and so it imports only Node.
 */
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Attempt, Findings, Recorded, Seen, Task } from "./attempt.ts";

const LIMITS = {
  connectMs: 4_000,
  answerMs: 3_000, // of whoever is outside
  pageMs: 10_000, // of the sidecar itself, however busy the node is
  recordMs: 10_000, // until the sidecar has recorded a connection that has ended
  records: 200, // as many as it shows
  heardBytes: 400,
} as const;

type Saw = Omit<Seen, "id" | "record">;

const { attempts, adminPort }: Task = JSON.parse(process.argv.at(-1) ?? "");

async function tryOut(attempt: Attempt): Promise<Saw> {
  switch (attempt.kind) {
    case "tcp":
    case "tls":
      return await dial(attempt);
    case "udp":
      return await send(attempt);
    case "page":
      return await visit(attempt);
    case "become":
      return await become(attempt);
  }
}

const failure = (error: unknown): Saw => ({ outcome: "failed", ...asError(error) });

/** Connected, whatever became of it: by whom, the sidecar's record tells. */
async function dial(attempt: Extract<Attempt, { kind: "tcp" | "tls" }>): Promise<Saw> {
  const socket = connect({ host: attempt.address, port: attempt.port });
  const failed = once(socket, "error").then(([error]) => error);
  const connected = await Promise.race([
    once(socket, "connect").then(
      () => true,
      () => false,
    ),
    sleep(LIMITS.connectMs, undefined),
  ]);
  if (connected === undefined) {
    socket.destroy();
    return { outcome: "silent" };
  }
  if (!connected) return { outcome: "failed", ...asError(await failed) };
  const heard =
    attempt.kind === "tls" ? shakeHands(socket, attempt.name) : converse(socket, attempt.say);
  const told = await Promise.race([heard.catch(asError), failed.then(asError), silence()]);
  socket.destroy();
  return { outcome: "connected", ...told };
}

function asError(error: unknown): { readonly error: string } {
  return { error: codeOf(error) };
}

function silence(): Promise<object> {
  return sleep(LIMITS.answerMs, {});
}

async function converse(socket: Socket, say: string | undefined): Promise<Partial<Saw>> {
  if (say !== undefined) socket.write(say);
  const heard = await Promise.race([
    once(socket, "data").then(([first]) => inOneLine(first)),
    once(socket, "end").then(() => undefined),
  ]);
  return heard === undefined ? {} : { heard };
}

async function shakeHands(socket: Socket, name: string | undefined): Promise<Partial<Saw>> {
  const tls = connectTls({
    socket,
    rejectUnauthorized: false,
    ...(name !== undefined && { servername: name }),
  });
  await once(tls, "secureConnect");
  return { heard: `TLS, a certificate for ${tls.getPeerCertificate().subject?.CN ?? "nobody"}` };
}

/** A question for a name server, wherever it goes: those that are none may answer it with an echo. */
const QUESTION = Buffer.from(
  "5a1101000001000000000000" + "076578616d706c6503636f6d00" + "00010001",
  "hex",
);

async function send({ address, port }: Extract<Attempt, { kind: "udp" }>): Promise<Saw> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const fails = once(socket, "error").then(([error]) => failure(error));
  // Connected, for only then is the kernel's word about what was sent this socket's.
  const sends = new Promise<Saw>((resolve) => {
    socket.once("message", (message) =>
      resolve({ outcome: "answered", heard: inOneLine(message) }),
    );
    socket.once("connect", () =>
      socket.send(QUESTION, (error) => {
        if (error) resolve(failure(error));
      }),
    );
    socket.connect(port, address);
  });
  const saw = await Promise.race([
    sends,
    fails,
    sleep(LIMITS.answerMs, { outcome: "silent" } as const),
  ]);
  socket.close();
  return saw;
}

function visit({ port, path, method, host }: Extract<Attempt, { kind: "page" }>): Promise<Saw> {
  return new Promise((resolve) => {
    const fails = (error: Error) => resolve(failure(error));
    const options = {
      host: "127.0.0.1",
      port,
      path,
      method,
      headers: { host },
      timeout: LIMITS.pageMs,
    };
    const asked = request(options, (answer) => {
      answer.resume();
      resolve({ outcome: "connected", status: answer.statusCode });
    });
    asked.once("timeout", () => asked.destroy(new Error("ETIMEDOUT")));
    asked.once("error", fails).end();
  });
}

/** Nobody becomes himself again: another process does it. */
function become({ uid, gid, next }: Extract<Attempt, { kind: "become" }>): Promise<Saw> {
  return new Promise((resolve) => {
    const again = JSON.stringify({ attempts: [next], adminPort: 0 } satisfies Task);
    const limit = 2 * (LIMITS.connectMs + LIMITS.answerMs);
    const options = { uid, gid, timeout: limit };
    const child = execFile(
      process.execPath,
      [...process.execArgv, again],
      options,
      (error, stdout) => {
        const findings: Findings | undefined = error ? undefined : JSON.parse(stdout);
        const [saw] = findings?.seen ?? [];
        if (saw)
          resolve({ ...saw, heard: [`as ${uid}:${gid}`, saw.heard].filter(Boolean).join(", ") });
        else resolve(failure(error));
      },
    );
    child.once("error", (error) => resolve(failure(error)));
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string | number; message?: string };
  return String(code ?? message ?? error);
}

function inOneLine(bytes: Buffer): string {
  return (
    bytes
      .toString("latin1", 0, LIMITS.heardBytes)
      .split("\n")[0]
      ?.replaceAll(/[^ -~]/g, ".") ?? ""
  );
}

interface Told extends Recorded {
  readonly connection: number;
  readonly original_address: string;
  readonly original_port: number;
}

/** What the sidecar has recorded last; undefined where it does not say. */
async function decisions(): Promise<Told[] | undefined> {
  try {
    const url = `http://127.0.0.1:${adminPort}/decisions?format=json`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(LIMITS.pageMs) });
    return answer.ok ? ((await answer.json()) as { decisions: Told[] }).decisions : undefined;
  } catch {
    return undefined;
  }
}

/** Each to its own: no two attempts have the same address and port. */
function recordOf(attempt: Attempt, after: number, told: readonly Told[]): Recorded | undefined {
  const its = attempt.kind === "become" ? attempt.next : attempt;
  if (its.kind !== "tcp" && its.kind !== "tls") return undefined;
  const found = told.find(
    ({ connection, original_address, original_port }) =>
      connection > after && original_address === its.address && original_port === its.port,
  );
  if (!found) return undefined;
  const { verdict, reason, would_be, rule, dialled_address } = found;
  return { verdict, reason, would_be, rule, dialled_address };
}

/** Whether nothing that was recorded since has been pushed out by others. */
function isWhole(told: readonly Told[], after: number): boolean {
  return told.length < LIMITS.records || told.some(({ connection }) => connection <= after);
}

async function seenWithRecords(): Promise<Pick<Findings, "seen" | "recordsRead">> {
  const before = adminPort === 0 ? undefined : await decisions();
  const after = Math.max(0, ...(before ?? []).map(({ connection }) => connection));
  const saw = await Promise.all(attempts.map((each) => tryOut(each).catch(failure)));
  const until = Date.now() + LIMITS.recordMs;
  for (;;) {
    const told = before && (await decisions());
    const seen = attempts.map((attempt, i): Seen => {
      const { outcome = "silent", ...more } = saw[i] ?? {};
      return { id: attempt.id, outcome, ...more, record: recordOf(attempt, after, told ?? []) };
    });
    const isMissing = seen.some(
      ({ outcome, record, status }) => outcome === "connected" && status === undefined && !record,
    );
    if (!told || !isMissing || Date.now() > until)
      return { seen, recordsRead: told !== undefined && isWhole(told, after) };
    await sleep(200);
  }
}

const status = readFileSync("/proc/self/status", "utf8");
const word = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
const findings: Findings = {
  ...(await seenWithRecords()),
  hasIpv6: Object.values(networkInterfaces())
    .flat()
    .some((its) => its?.family === "IPv6" && !its.internal && !/^fe[89ab]/.test(its.address)),
  capabilities: { effective: word("CapEff"), bounding: word("CapBnd") },
  noNewPrivileges: word("NoNewPrivs") === "1",
  uid: process.getuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
};
process.stdout.write(`${JSON.stringify(findings)}\n`, () => process.exit());
