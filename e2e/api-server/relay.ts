import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A port on loopback that leads to others there, connection by connection. */
export class Relay implements Disposable {
  readonly port: number;
  readonly #close: () => void;
  readonly #cut: () => void;

  private constructor(port: number, close: () => void, cut: () => void) {
    this.port = port;
    this.#close = close;
    this.#cut = cut;
  }

  /** `next` says where a new connection goes; undefined: nowhere, it is closed. */
  static async start(next: () => number | undefined): Promise<Relay> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const port = next();
      if (port === undefined) return void near.destroy();
      const far = connect(port, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    return new Relay(
      port,
      () => server.close(),
      () => {
        for (const socket of sockets) socket.destroy();
      },
    );
  }

  /** Ends the connections that are open. */
  cut(): void {
    this.#cut();
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#cut();
  }
}
