import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { explainCommand } from "@sallyport/cli/policy/explain-command";
import { simulateCommand } from "@sallyport/cli/policy/simulate-command";
import { testCommand } from "@sallyport/cli/policy/test-command";

const PROGRAM = resolve(import.meta.dirname, "../../bin/sallyport.js");

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const COMMANDS: Readonly<Record<string, typeof explainCommand>> = {
  explain: explainCommand,
  test: testCommand,
  simulate: simulateCommand,
};

class Output {
  text = "";
  write(text: string, done: () => void): void {
    this.text += text;
    done();
  }
}

/** A folder of files that lasts as long as a test file, and the program run in it. */
export class Bed {
  readonly folder = mkdtempSync(join(tmpdir(), "sallyport-policy-"));

  /** Its path. */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** In this process, which saves the program's start. */
  async run([command = "", ...args]: readonly string[], stdin = ""): Promise<Ran> {
    const [stdout, stderr] = [new Output(), new Output()];
    const start = COMMANDS[command];
    if (!start) throw new Error(`no command ${command}`);
    const status = await start(args, {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout,
      stderr,
    });
    return { status, stdout: stdout.text, stderr: stderr.text };
  }

  /** The program itself, in the folder, as from a shell; one that does not end is ended after half a minute. */
  async shell(args: readonly string[], stdin = ""): Promise<Ran> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.folder,
      timeout: 30_000,
    });
    // A program that refuses its arguments does not read.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [status] = await once(child, "close");
    const [stdout, stderr] = await output;
    return { status, stdout, stderr };
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export const RULES = `apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: web, namespace: shop }
spec:
  to:
    - hosts: [api.example.com, "*.googleapis.com"]
      ports: [{ port: 443, protocol: tls }]
    - hosts: [db.example.com]
      ports: [{ port: 5432, protocol: tcp }]
    - cidrs: [10.20.0.0/16]
      ports: [{ port: 5432, protocol: tcp }]
    - hosts: [plain.example.com]
      ports: [{ port: 8080, protocol: http }]
    - hosts: [originated.example.com]
      ports: [{ port: 80, protocol: https }]
`;

export const SERVICES = `apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { type: ExternalName, externalName: api.example.com }
---
apiVersion: v1
kind: Service
metadata: { name: plain }
spec: { type: ExternalName, externalName: plain.example.com, ports: [{ port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: backend, namespace: shop }
spec: { ports: [{ port: 80 }] }
`;

export const boundary = (name: string, spec: string) => `apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: ${name} }
spec: ${spec}
`;
