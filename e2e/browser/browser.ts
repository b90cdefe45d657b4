import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";
import { DevTools } from "./devtools.ts";
import { Page } from "./page.ts";

interface CleanUps {
  after(step: () => unknown): void;
}

/** Of its own accord it asks for nothing; in a namespace without any way out it could not. */
const FLAGS = [
  ...["--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu"],
  ...["--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--hide-scrollbars"],
];

/** Chromium without a window, told what to do over the DevTools protocol. */
export class Browser {
  readonly #devTools: DevTools;

  private constructor(devTools: DevTools) {
    this.#devTools = devTools;
  }

  static async start(t: CleanUps, namespace: NetworkNamespace): Promise<Browser> {
    const home = mkdtempSync(join(tmpdir(), "sallyport-browser-"));
    const child = namespace.spawn(
      ["chromium", ...FLAGS, `--user-data-dir=${home}`, "about:blank"],
      {
        // Commands come by descriptor 3, answers go by 4.
        stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
        env: { ...process.env, HOME: home },
      },
    );
    t.after(async () => {
      await ended(child);
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    });
    return new Browser(new DevTools(child));
  }

  /** A page of its own, once it has loaded. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.#devTools.send("Target.createTarget", { url: "about:blank" });
    const session = await this.#devTools.send("Target.attachToTarget", { targetId, flatten: true });
    const page = await Page.attach(this.#devTools, session.sessionId as string);
    await page.go(url);
    return page;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exit;
}
