import { connect, type Socket } from "node:net";
import type { FailReason } from "@sallyport/core/reasons";
import type { Endpoint } from "./original-destination.ts";

/** The destination could not be reached; `reason` is what the record says, `code` what the system said. */
export class DialError extends Error {
  readonly reason: FailReason;
  readonly code: string;

  constructor(to: Endpoint, code: string, cause?: unknown) {
    super(`connect to ${to.address} port ${to.port}: ${code}`, { cause });
    this.name = "DialError";
    this.code = code;
    this.reason = REASONS[code] ?? "failed.internal";
  }
}

/** connect(2) and ip(7) errors. EPERM and EACCES are a packet filter's word on the way out. */
const REASONS: Readonly<Record<string, FailReason>> = {
  ECONNREFUSED: "failed.connect_refused",
  ETIMEDOUT: "failed.connect_timeout",
  ECONNRESET: "failed.reset",
  EHOSTUNREACH: "failed.unreachable",
  ENETUNREACH: "failed.unreachable",
  EHOSTDOWN: "failed.unreachable",
  ENETDOWN: "failed.unreachable",
  ENONET: "failed.unreachable",
  EACCES: "failed.unreachable",
  EPERM: "failed.unreachable",
  EINVAL: "failed.unreachable",
};

/**
 * A connected socket, paused, half-open allowed, without Nagle's delay. Rejects with DialError; an aborted `signal`
 * ends the attempt as ECANCELED.
 */
export function dial(to: Endpoint, timeoutMs: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: to.address,
      port: to.port,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: false,
    });
    const settle = (error?: DialError) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      socket.off("connect", connected);
      if (!error) {
        socket.off("error", failed);
        resolve(socket);
        return;
      }
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const connected = () => settle();
    const failed = (error: NodeJS.ErrnoException) =>
      settle(new DialError(to, error.code ?? "EUNKNOWN", error));
    const cancel = () => settle(new DialError(to, "ECANCELED"));
    const timer = setTimeout(() => settle(new DialError(to, "ETIMEDOUT")), timeoutMs);
    socket.once("connect", connected);
    socket.once("error", failed);
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
  });
}
