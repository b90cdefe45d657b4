import { getSystemErrorMap } from "node:util";
import { formatAddress, parseAddress } from "@sallyport/core/address";
import { addon } from "../native/addon.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The kernel could not say where a connection was going; `code` and `errno` are the system's. */
export class OriginalDestinationError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall = "getsockopt(SO_ORIGINAL_DST)";

  constructor(errno: number) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
    super(`getsockopt(SO_ORIGINAL_DST): ${code}, ${text}`);
    this.name = "OriginalDestinationError";
    this.code = code;
    this.errno = errno;
  }
}

/**
 * Where the connection on this descriptor was going before iptables redirected it; what the connection itself is
 * addressed to when nothing did. Throws OriginalDestinationError: ENOENT where conntrack does not know the connection,
 * ENOPROTOOPT on a descriptor that is no TCP socket.
 */
export function originalDestination(fd: number): Endpoint {
  const result = addon.originalDestination(fd);
  if (typeof result === "number") throw new OriginalDestinationError(result);
  const address = parseAddress(result.address);
  return { address: address ? formatAddress(address) : result.address, port: result.port };
}
