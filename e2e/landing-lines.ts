import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** A long-lived helper inside a namespace that answers each line with one line, in order. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(namespace: NetworkNamespace, argv: readonly string[]) {
    this.#child = namespace.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    if (!this.#child.stdout) throw new Error("no standard output");
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  ask(line: string): Promise<string> {
    const answer = this.#last.then(async () => {
      this.#child.stdin?.write(`${line}\n`);
      const { value, done } = await this.#answers.next();
      if (done) throw new Error(`the helper ended instead of answering "${line}"`);
      return value;
    });
    this.#last = answer.catch(() => {});
    return answer;
  }

  async expectOk(line: string): Promise<void> {
    const answer = await this.ask(line);
    if (answer !== "ok") throw new Error(`${line}: ${answer}`);
  }
}
