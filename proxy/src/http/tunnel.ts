import type { Wire, WireUser } from "./wire.ts";

/** How a tunnel ended. */
export interface TunnelEnd {
  readonly by: "app" | "upstream";
  readonly how: "end" | "reset";
  readonly error?: string | undefined;
}

/** Bytes to the destination and from it, of the tunnel alone. */
export interface Tunnelled {
  readonly sent: number;
  readonly received: number;
}

/** Passes on what either side says, unread, as an upgraded connection has it (RFC 9110 §7.8): ends as ends, resets as resets. */
export function tunnel(
  app: Wire,
  upstream: Wire,
  onEnd: (end: TunnelEnd) => void,
): () => Tunnelled {
  let first: TunnelEnd["by"] | undefined;
  let isOver = false;
  const [sentBefore, receivedBefore] = [upstream.sent, app.sent];
  const over = (end: TunnelEnd) => {
    if (isOver) return;
    isOver = true;
    onEnd(end);
  };
  const side = (from: Wire, to: Wire, by: TunnelEnd["by"]): WireUser => ({
    bytes: (chunk) => {
      to.send(chunk);
      to.flush();
      if (to.isFull) from.pause();
    },
    ended: () => {
      first ??= by;
      to.end();
    },
    drained: () => to.resume(),
    gone: (error) => {
      if (error || !from.hasEnded) {
        to.reset();
        over({ by, how: "reset", error: error?.code });
      } else if (to.isGone) over({ by: first ?? by, how: "end" });
    },
  });
  app.user = side(app, upstream, "app");
  upstream.user = side(upstream, app, "upstream");
  app.resume();
  upstream.resume();
  return () => ({ sent: upstream.sent - sentBefore, received: app.sent - receivedBefore });
}
