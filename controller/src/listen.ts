import type { AddressInfo, Server } from "node:net";

export interface ListenOn {
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Absent: every address, both families. */
  readonly host?: string | undefined;
}

/** Where it listens then. */
export function listen(server: Server, { port, host }: ListenOn): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(`cannot listen on port ${port}: ${error.message}`, { cause: error }));
    });
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      resolve(server.address() as AddressInfo);
    });
  });
}
