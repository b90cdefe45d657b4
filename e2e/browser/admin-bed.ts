import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A pod with the real sidecar, and a browser that has its admin page before it by a forwarded port. */
export class AdminBed {
  readonly egress: EgressPod;
  readonly browser: Browser;
  readonly url: string;
  /** What carries the page to the browser. */
  readonly forward: ChildProcess;

  private constructor(egress: EgressPod, browser: Browser, url: string, forward: ChildProcess) {
    this.egress = egress;
    this.browser = browser;
    this.url = url;
    this.forward = forward;
  }

  static async open(t: CleanUps): Promise<AdminBed> {
    const egress = await EgressPod.open(t, {
      policy: POLICY,
      zone: {
        "*.example.com": { A: [REAL] },
        "db.example.net": { A: [OTHER] },
        "tracker.example.org": { A: [REAL] },
      },
      listening: { tls: [443], http: [80], plain: [5432] },
    });
    const desk = await NetworkNamespace.create();
    t.after(() => desk.close());
    const folder = mkdtempSync(join(tmpdir(), "sallyport-forward-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const socket = join(folder, "admin.sock");
    await forwardIn(egress.sidecar.pod, socket, String(PORTS.admin));
    const forward = await forwardIn(desk, String(PORTS.admin), socket);
    const browser = await Browser.start(t, desk);
    return new AdminBed(egress, browser, `http://localhost:${PORTS.admin}/`, forward);
  }
}

async function forwardIn(
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
