import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Zone } from "@sallyport/cli/lab/dns-server";
import { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { PORTS } from "@sallyport/proxy/contract";
import { EgressPod, OTHER, type Policy, REAL } from "../support/egress-pod.ts";
import { Browser } from "./browser.ts";

interface CleanUps {
  after(step: () => unknown): void;
}

/** Rules as a shop may have them. */
export const POLICY: Policy = {
  rules: {
    api: [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }],
    pages: [{ hosts: ["www.example.com"], ports: [{ port: 80, protocol: "http" }] }],
    database: [{ hosts: ["db.example.net"], ports: [{ port: 5432, protocol: "tcp" }] }],
    mail: [{ cidrs: [`${OTHER}/32`], ports: [{ port: 25, protocol: "tcp" }] }],
  },
};

const ZONE: Zone = {
  "*.example.com": { A: [REAL] },
  "db.example.net": { A: [OTHER] },
};

/** A pod with the real sidecar, and a browser that has its admin page before it by a forwarded port. */
export class AdminBed {
  readonly egress: EgressPod;
  readonly browser: Browser;
  readonly url = `http://localhost:${PORTS.admin}/`;
  readonly #desk: NetworkNamespace;
  readonly #socket: string;
  #forward: ChildProcess | undefined;

  private constructor(egress: EgressPod, browser: Browser, desk: NetworkNamespace, socket: string) {
    this.egress = egress;
    this.browser = browser;
    this.#desk = desk;
    this.#socket = socket;
  }

  static async open(t: CleanUps): Promise<AdminBed> {
    const egress = await EgressPod.open(t, { policy: POLICY, zone: ZONE });
    const desk = await NetworkNamespace.create();
    t.after(() => desk.close());
    const folder = mkdtempSync(join(tmpdir(), "sallyport-forward-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const socket = join(folder, "admin.sock");
    await forwardIn(egress.sidecar.pod, socket, String(PORTS.admin));
    const bed = new AdminBed(egress, await Browser.start(t, desk), desk, socket);
    await bed.connect();
    return bed;
  }

  /** What carries the page to the browser begins, as `kubectl port-forward` would, and ends. */
  async connect(): Promise<void> {
    this.#forward = await forwardIn(this.#desk, String(PORTS.admin), this.#socket);
  }

  async disconnect(): Promise<void> {
    if (!this.#forward) return;
    const exit = once(this.#forward, "exit");
    this.#forward.kill("SIGKILL");
    await exit;
  }
}

export async function forwardIn(
  inside: NetworkNamespace,
  from: string,
  to: string,
): Promise<ChildProcess> {
  const main = join(import.meta.dirname, "forward-main.ts");
  const child = inside.spawn([process.execPath, main, from, to], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout) await once(child.stdout, "data");
  return child;
}
