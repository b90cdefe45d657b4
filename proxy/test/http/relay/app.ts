import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** How long nothing may come of anything. */
const PATIENCE_MS = 30_000;

/** What an app has heard until its connection was over. */
export interface Heard {
  /** latin1 */
  readonly text: string;
  /** `end`, `hangs`, or the code of the error. */
  readonly how: string;
}

/** An app's connection, spoken on piece by piece. */
export class App {
  readonly socket: Socket;
  text = "";
  how: string | undefined;
  readonly over: Promise<Heard>;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<Heard>();
    this.over = promise;
    const ends = (how: string) => {
      this.how ??= how;
      resolve({ text: this.text, how: this.how });
      this.#wake();
    };
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => ends(error.code ?? error.message));
    socket.on("end", () => ends("end"));
    socket.on("close", () => ends("close"));
  }

  static async connect(port: number): Promise<App> {
    const app = new App(connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true }));
    if (app.socket.connecting) await once(app.socket, "connect");
    return app;
  }

  /** Each piece in a segment of its own: the other side has its turn in between. */
  async say(...pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      if (!this.socket.writable) return;
      this.socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
      await turn();
    }
  }

  /** When it holds for what has been heard so far; `false` where the connection is over before. */
  async hears(holds: (text: string) => boolean): Promise<boolean> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds(this.text)) {
      if (this.how !== undefined) return false;
      if (!(await this.#woken(deadline - Date.now()))) return false;
    }
    return true;
  }

  /** All of it, once the connection is over. */
  async ended(): Promise<Heard> {
    const timer = Promise.withResolvers<Heard>();
    const timeout = setTimeout(() => timer.resolve({ text: this.text, how: "hangs" }), PATIENCE_MS);
    const heard = await Promise.race([this.over, timer.promise]);
    clearTimeout(timeout);
    return heard;
  }

  close(): void {
    this.socket.destroy();
  }

  #woken(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** Whatever is on its way over loopback arrives. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
