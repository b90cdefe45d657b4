import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** The Chrome DevTools protocol over the browser's pipes: JSON, each message ended by a NUL. */
export class DevTools {
  readonly #input: Writable;
  readonly #waiting = new Map<number, PromiseWithResolvers<Fields>>();
  readonly #listeners = new Set<(session: string | undefined, event: string, of: Fields) => void>();
  #count = 0;
  #ended: Error | undefined;

  constructor(browser: ChildProcess) {
    this.#input = browser.stdio[3] as Writable;
    const output = browser.stdio[4] as Readable;
    let text = "";
    output.setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (text + chunk).split("\0");
      text = messages.pop() ?? "";
      for (const message of messages) this.#received(JSON.parse(message));
    });
    browser.once("exit", (status, signal) => {
      this.#ended = new Error(`the browser has ended: ${signal ?? status}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
    });
    this.#input.on("error", () => {});
  }

  send(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#count += 1;
    const waiting = Promise.withResolvers<Fields>();
    this.#waiting.set(this.#count, waiting);
    this.#input.write(`${JSON.stringify({ id: this.#count, method, params, sessionId })}\0`);
    return waiting.promise;
  }

  /** Whatever a session tells of its own accord. */
  on(listener: (session: string | undefined, event: string, of: Fields) => void): void {
    this.#listeners.add(listener);
  }

  #received({ id, method, params = {}, result, error, sessionId }: Message): void {
    if (id === undefined) {
      for (const listener of this.#listeners) listener(sessionId, method ?? "", params);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }
}
