import type { TcpNetConnectOpts } from "node:net";
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from "node:tls";

const BEAT_MS = 15_000;
const BACK_OFF_MS = { least: 100, most: 5_000 } as const;

/** A sidecar's end of the stream and nothing else of it: it acknowledges at once, beats, and comes again when it is cut. */
export class SimulatedSidecar {
  readonly #number: number;
  readonly #port: number;
  readonly #context: SecureContext;
  #socket: TLSSocket | undefined;
  #revision: string | undefined;
  #failures = 0;
  #beats: NodeJS.Timeout | undefined;
  attempts = 0;

  constructor(number: number, port: number, context: SecureContext) {
    this.#number = number;
    this.#port = port;
    this.#context = context;
  }

  open(): void {
    this.attempts++;
    const number = this.#number;
    const options: ConnectionOptions & Pick<TcpNetConnectOpts, "localAddress"> = {
      ...{ host: "127.0.0.1", port: this.#port, secureContext: this.#context },
      localAddress: `127.1.${number >> 8}.${number & 255}`,
    };
    const socket = connect(options);
    this.#socket = socket;
    let text = "";
    let isOpen = false;
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(this.#beats);
      const most = Math.min(BACK_OFF_MS.most, BACK_OFF_MS.least * 2 ** this.#failures++);
      if (this.#socket === socket) setTimeout(() => this.open(), Math.random() * most);
    });
    socket.once("secureConnect", () => {
      socket.write(
        `GET /v1/policy HTTP/1.1\r\nhost: c\r\nconnection: upgrade\r\nupgrade: sallyport-policy/1\r\nauthorization: Bearer pod-${number}\r\n\r\n`,
      );
    });
    socket.setEncoding("latin1").on("data", (more: string) => {
      text += more;
      if (!isOpen && text.includes("\r\n\r\n")) {
        isOpen = text.startsWith("HTTP/1.1 101");
        text = text.slice(text.indexOf("\r\n\r\n") + 4);
        if (!isOpen) return void socket.destroy();
        this.#failures = 0;
        const have = this.#revision && { revision: this.#revision, basis: {} };
        this.#say({ type: "hello", version: "0.1.0", schemas: [1], ...(have && { have }) });
        this.#beats = setInterval(() => this.#say({ type: "beat" }), BEAT_MS);
      }
      for (let end = text.indexOf("\n"); isOpen && end !== -1; end = text.indexOf("\n")) {
        const { type, revision } = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (type !== "snapshot") continue;
        this.#revision = revision;
        this.#say({ type: "applied", revision });
      }
    });
  }

  cut(): void {
    this.#socket?.destroy();
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #say(line: object): void {
    this.#socket?.write(`${JSON.stringify(line)}\n`);
  }
}
