import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { ControllerLine, SidecarLine } from "@sallyport/core/delivery";

export interface Head {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A line of the controller's; which fields it has, its type says. */
export interface Line {
  readonly type: ControllerLine["type"];
  readonly revision: string;
  readonly basis: Readonly<Record<string, string>>;
  readonly rewound?: boolean;
  readonly snapshot?: unknown;
  readonly why?: string;
}

/** A sidecar's end of the stream, as bare as it can be: what is sent and when is the test's to say. */
export class SidecarClient implements AsyncDisposable {
  readonly socket: TLSSocket;
  readonly lines: Line[] = [];
  head: Head | undefined;
  ended = false;
  #text = "";
  #begun: string[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
    socket.setEncoding("utf8").on("data", (text: string) => this.#read(text));
  }

  /** Asks; `head` has the answer. */
  static async ask(
    where: {
      readonly port: number;
      readonly ca: string;
      /** Whom to expect there; absent: 127.0.0.1. */
      readonly servername?: string;
      readonly localAddress?: string;
    },
    token: string | undefined,
    request = "GET /v1/policy HTTP/1.1\r\nupgrade: sallyport-policy/1\r\nconnection: upgrade",
  ): Promise<SidecarClient> {
    const socket = connect({
      host: "127.0.0.1",
      ...where,
    });
    const client = new SidecarClient(socket);
    await once(socket, "secureConnect").catch(() => {});
    const authorization = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
    socket.write(`${request}\r\nhost: controller\r\n${authorization}\r\n`);
    await client.until(() => client.head !== undefined || client.ended);
    return client;
  }

  say(line: SidecarLine): void {
    this.socket.write(`${JSON.stringify(line)}\n`);
  }

  /** Says hello, and waits for what it is given first. */
  async hello(have?: Pick<Line, "revision" | "basis">): Promise<Line> {
    this.say({ type: "hello", version: "0.1.0", schemas: [1], ...(have && { have }) });
    return this.next((line) => line.type === "snapshot" || line.type === "current");
  }

  /** The first line from now on, or from the `from`th, that is so. */
  async next(isIt: (line: Line) => boolean, from = this.lines.length): Promise<Line> {
    await this.until(() => this.ended || this.lines.slice(from).some(isIt));
    const found = this.lines.slice(from).find(isIt);
    if (!found)
      throw new Error(`the stream ended first: ${JSON.stringify(this.lines)} ${this.head?.text}`);
    return found;
  }

  /** The snapshot with that revision; it is acknowledged. */
  async applied(revision: string): Promise<Line> {
    const line = await this.next((each) => each.revision === revision, 0);
    this.say({ type: "applied", revision });
    return line;
  }

  async until(isSo: () => boolean, seconds = 20): Promise<void> {
    const late = AbortSignal.timeout(seconds * 1_000);
    while (!isSo()) {
      if (late.aborted)
        throw new Error(`not within ${seconds} s: ${JSON.stringify([this.head, this.lines])}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }

  #read(text: string): void {
    this.#begun.push(text);
    // Joined only when there is a line: a snapshot may be large.
    if (text.includes("\n")) {
      this.#text = this.#begun.join("");
      this.#begun = [];
      if (!this.head) this.#readHead();
      if (this.head?.status === 101) {
        const lines = this.#text.split("\n");
        this.#begun = [lines.pop() ?? ""];
        for (const line of lines) this.lines.push(JSON.parse(line));
      } else this.#begun = [this.#text];
    }
    this.#wake();
  }

  #readHead(): void {
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [first = "", ...fields] = this.#text.slice(0, end).split("\r\n");
    const status = Number(first.split(" ")[1]);
    const named = fields.map((field) => field.split(": ") as [string, string]);
    const rest = this.#text.slice(end + 4);
    const length = Number(Object.fromEntries(named)["content-length"] ?? 0);
    if (status !== 101 && Buffer.byteLength(rest) < length) return;
    this.head = { status, fields: Object.fromEntries(named), text: status === 101 ? "" : rest };
    this.#text = status === 101 ? rest : "";
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
