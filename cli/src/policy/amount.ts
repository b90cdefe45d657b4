/** How many records: of whole connections, and of single HTTP requests, where each was judged by itself. */
export interface Amount {
  connections: number;
  requests: number;
}

export function nothing(): Amount {
  return { connections: 0, requests: 0 };
}

export function total({ connections, requests }: Amount): number {
  return connections + requests;
}

export function sum(amounts: readonly Amount[]): Amount {
  return amounts.reduce(
    (all, { connections, requests }) => ({
      connections: all.connections + connections,
      requests: all.requests + requests,
    }),
    nothing(),
  );
}

/** `3 connections`, `1 request`, `3 connections and 1 request` */
export function formatAmount({ connections, requests }: Amount): string {
  if (requests === 0) return count(connections, "connection");
  const ofRequests = count(requests, "request");
  return connections === 0 ? ofRequests : `${count(connections, "connection")} and ${ofRequests}`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
