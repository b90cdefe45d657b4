/** One message that somebody reads otherwise than somebody else, as it goes over the wire. */
export interface Hostile {
  /** Unique in its corpus. */
  readonly name: string;
  /** A character a byte (latin1). What a server would be made to take for the next message is part of it. */
  readonly bytes: string;
  /** The rule it breaks, or the reading that it invites. */
  readonly why: string;
  /**
   * RFC 9110 and 9112 let a recipient accept it, and in one reading only: refusing is right too, and passing it on in any
   * other reading is wrong. Absent: it must be refused before its last byte has been passed on.
   */
  readonly legal?: true;
  /** As legal as that, and more of it is awaited: whatever follows belongs to it. */
  readonly unfinished?: true;
}

/** A row of a family: what makes it different from the others, and why that is wrong; what it is where it is not wrong. */
export type Row = readonly [part: string, why: string, allowed?: "legal" | "unfinished"];

/** Cases out of rows: `name` before what the part looks like, `bytes` around the part. */
export function family(
  name: string,
  bytes: (part: string) => string,
  rows: readonly Row[],
): readonly Hostile[] {
  return rows.map(([part, why, allowed]) => ({
    name: `${name} ${shown(part)}`,
    bytes: bytes(part),
    why,
    ...(allowed && { [allowed]: true }),
  }));
}

function shown(part: string): string {
  const text = JSON.stringify(part).slice(1, -1);
  return text.length <= 170 ? text : `${text.slice(0, 60)}... (${part.length} bytes)`;
}
