import type { Socket } from "node:net";
import type { Ending, Side } from "@sallyport/core/record";

/** How a relayed connection ended. */
export interface RelayEnd {
  /** The side that closed first, or that reset. */
  readonly by: Side;
  readonly how: Extract<Ending, "end" | "reset" | "drain">;
  readonly error?: string;
}

export interface Relay {
  readonly ended: Promise<RelayEnd>;
  /** Resets both sides. */
  cut(): void;
}

/**
 * Moves bytes both ways between two paused sockets until both directions have closed. One side's end is passed on as an
 * end of that direction only (half-close); one side's failure resets the other, so that a truncated stream never looks
 * complete. Memory is bounded by the sockets' own buffers: a side that does not read stops the other from being read.
 */
export function relay(app: Socket, upstream: Socket): Relay {
  const { promise, resolve } = Promise.withResolvers<RelayEnd>();
  let first: RelayEnd | undefined;
  let open = 2;

  const watch = (side: Side, socket: Socket, other: Socket) => {
    socket.once("end", () => {
      first ??= { by: side, how: "end" };
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // A failure outranks an orderly end of the other direction: what was under way is lost.
      if (first?.how !== "reset" && first?.how !== "drain")
        first = { by: side, how: "reset", error: error.code ?? error.message };
      other.resetAndDestroy();
    });
    socket.once("close", () => {
      open -= 1;
      if (open === 0) resolve(first ?? { by: side, how: "end" });
    });
    socket.setKeepAlive(true, 60_000);
  };
  watch("app", app, upstream);
  watch("upstream", upstream, app);
  app.pipe(upstream);
  upstream.pipe(app);

  return {
    ended: promise,
    cut: () => {
      first = { by: "sidecar", how: "drain" };
      app.resetAndDestroy();
      upstream.resetAndDestroy();
    },
  };
}
