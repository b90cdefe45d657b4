import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { PROXY_CONFIG_ENV, type ProxyConfigInput } from "../../src/contract.ts";

export const MAIN = join(import.meta.dirname, "../../src/main.ts");
const FREE_PORTS = { outbound: 0, admin: 0, ready: 0 };

export interface Ports {
  readonly outbound: number;
  readonly admin: number;
  readonly ready: number;
}

/** The program itself, serving on ports of the kernel's choice. On loopback, without iptables, what comes is a loop. */
export class SidecarProcess {
  readonly child: ChildProcess;
  readonly ports: Ports;
  readonly exit: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;

  private constructor(child: ChildProcess, ports: Ports, exit: SidecarProcess["exit"]) {
    this.child = child;
    this.ports = ports;
    this.exit = exit;
  }

  static async start(
    t: TestContext,
    { config = {}, stdio = ["ignore", "ignore", "pipe"] }: StartOptions = {},
  ): Promise<SidecarProcess> {
    const env = { [PROXY_CONFIG_ENV]: JSON.stringify({ ports: FREE_PORTS, ...config }) };
    const child = spawn(process.execPath, [MAIN], { env, stdio });
    t.after(() => child.kill("SIGKILL"));
    const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    if (!child.stderr) throw new Error("its own log is needed to know its ports");
    const heard: string[] = [];
    for await (const line of createInterface(child.stderr)) {
      heard.push(line);
      if (!line.includes('"ready"')) continue;
      child.stderr.resume();
      return new SidecarProcess(child, JSON.parse(line), exit);
    }
    throw new Error(`the sidecar ended: ${heard.join("\n")}`);
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.ports.admin}${path}`);
  }
}

export interface StartOptions {
  readonly config?: ProxyConfigInput;
  readonly stdio?: StdioOptions;
}
