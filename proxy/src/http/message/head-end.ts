/** What a head may be at most. */
export interface HeadLimits {
  /** From its first byte to its empty line. */
  readonly bytes: number;
  readonly fields: number;
  readonly targetBytes: number;
}

export const DEFAULT_HEAD_LIMITS: HeadLimits = { bytes: 65_536, fields: 256, targetBytes: 16_384 };

const EMPTY_LINE = Buffer.from("\n\r\n");
const BARE_EMPTY_LINE = Buffer.from("\n\n");

/**
 * Where a head ends: behind its first empty line from `from` on; -1 where that is not there yet. Look for it again from two
 * bytes before the end of what has been looked through, so that none is looked at for every segment that comes.
 *
 * An empty line ended by a bare LF, at which a lenient reader would stop, ends it too, where no sound one follows: such a
 * head is not waited for, and whoever reads it finds the LF.
 */
export function endOfHead(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(EMPTY_LINE, from);
  if (end >= 0) return end + 3;
  const bare = bytes.indexOf(BARE_EMPTY_LINE, from);
  return bare < 0 ? -1 : bare + 2;
}
