import { turn } from "./app.ts";
import type { RelayBed } from "./bed.ts";
import type { Passage } from "./request-verdict.ts";

/** What follows what an app says, on the same connection, and is to be seen as itself. */
export const MARKER = "GET /marker HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

/**
 * Says it on a connection of its own until that is over, and gives what has arrived. One at a time on a bed, which keeps no
 * connection to its origin: so every byte there is of this one.
 */
export async function passage(bed: RelayBed, pieces: readonly string[]): Promise<Passage> {
  const { visits } = bed.origin;
  visits.length = 0;
  const app = await bed.connect();
  await app.say(...pieces);
  // It will say no more: what is still awaited is broken off.
  app.socket.end();
  const heard = await app.ended();
  app.close();
  await allOver(bed);
  return { sent: pieces.join(""), arrived: arrivedAt(bed), heard };
}

export async function allOver({ origin: { visits } }: RelayBed): Promise<void> {
  for (let i = 0; i < 5_000 && visits.some(({ how }) => how === undefined); i++) await turn();
}

export function arrivedAt({ origin: { visits } }: RelayBed): string {
  return Buffer.concat(visits.map(({ bytes }) => bytes)).toString("latin1");
}
