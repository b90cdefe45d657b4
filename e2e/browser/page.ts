import { setTimeout as sleep } from "node:timers/promises";
import type { DevTools, Fields } from "./devtools.ts";

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly phone?: boolean;
  /** Pixels of the screen to one of the style. */
  readonly scale?: number;
}

/** A round over the fleet begins seconds after the last, and machines may be slow. */
const PATIENCE_MS = 30_000;

/** One page of the browser. */
export class Page {
  /** What went wrong in it: errors on the console, exceptions, what its own policy forbade. */
  readonly errors: string[] = [];
  readonly #devTools: DevTools;
  readonly #session: string;

  private constructor(devTools: DevTools, session: string) {
    this.#devTools = devTools;
    this.#session = session;
    devTools.on((of, event, fields) => {
      if (of === session) this.#note(event, fields);
    });
  }

  static async attach(devTools: DevTools, session: string): Promise<Page> {
    const page = new Page(devTools, session);
    for (const domain of ["Page", "Runtime", "Log"]) await page.#send(`${domain}.enable`);
    return page;
  }

  async go(url: string): Promise<void> {
    const { errorText } = await this.#send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await this.until("document.readyState === 'complete'");
  }

  async close(): Promise<void> {
    await this.#send("Page.close");
  }

  /** What stood before it is hidden from then on. */
  async bringToFront(): Promise<void> {
    await this.#send("Page.bringToFront");
  }

  /** The value of an expression, JSON-able; a promise is awaited. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      ...{ expression, awaitPromise: true, returnByValue: true, userGesture: true },
    });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Resolves when an expression holds. */
  async until(expression: string): Promise<void> {
    const endMs = Date.now() + PATIENCE_MS;
    while (Date.now() < endMs) {
      if (await this.value<boolean>(`Boolean(${expression})`)) return;
      await sleep(20);
    }
    throw new Error(`waited for ${expression} in:\n${await this.text()}`);
  }

  /** All that a reader sees. */
  text(): Promise<string> {
    return this.value("document.body.innerText");
  }

  async look(look: Look): Promise<void> {
    const { width = 1_200, height = 900, dark = false, phone = false, scale = 1 } = look;
    await this.#send("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: scale, mobile: phone },
    });
    await this.#send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
  }

  async press(key: string, text?: string): Promise<void> {
    for (const type of ["keyDown", "keyUp"])
      await this.#send("Input.dispatchKeyEvent", { type, key, ...(text && { text }) });
  }

  /** PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data as string, "base64");
  }

  #send(method: string, params: Fields = {}): Promise<Fields> {
    return this.#devTools.send(method, params, this.#session);
  }

  #note(event: string, fields: Fields): void {
    const { type, entry } = fields as { type?: string; entry?: { level: string } };
    const isError =
      event === "Runtime.exceptionThrown" ||
      (event === "Runtime.consoleAPICalled" && (type === "error" || type === "warning")) ||
      (event === "Log.entryAdded" && entry?.level === "error");
    if (isError) this.errors.push(`${event}: ${JSON.stringify(fields)}`);
  }
}
