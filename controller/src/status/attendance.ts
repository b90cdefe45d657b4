/** When a controller counts as gone. */
export const ATTENDANCE = {
  /** How often each says that it is there. */
  everyMs: 15_000,
  /** One that could not for that long counts on under a new name, */
  lapsedMs: 60_000,
  /** well before the others take it for gone. */
  goneMs: 100_000,
} as const;
export type AttendanceTimes = { readonly [name in keyof typeof ATTENDANCE]: number };

/**
 * Who is there, by what was read last of what each writes: a text that changes. By our own clock alone, as with the Lease:
 * nobody's clock has to be right.
 */
export interface Attendance {
  note(said: Readonly<Record<string, string>>, nowMs: number): void;
  /** Never of one of whom it is not known. */
  isGone(name: string, nowMs: number): boolean;
  /** Those that have said nothing for long. */
  silent(nowMs: number): string[];
}

export function createAttendance(times: AttendanceTimes = ATTENDANCE): Attendance {
  let heard = new Map<string, { readonly said: string; readonly sinceMs: number }>();
  /** Names that nobody bears, since when. */
  const unknown = new Map<string, number>();
  let notedMs: number | undefined;
  return {
    note: (said, nowMs) => {
      const next = new Map<string, { said: string; sinceMs: number }>();
      for (const [name, text] of Object.entries(said)) {
        const before = heard.get(name);
        next.set(name, before?.said === text ? before : { said: text, sinceMs: nowMs });
        unknown.delete(name);
      }
      heard = next;
      notedMs = nowMs;
    },
    isGone: (name, nowMs) => {
      // What was read long ago says nothing of now.
      if (notedMs === undefined || nowMs - notedMs > times.lapsedMs) return false;
      const there = heard.get(name);
      if (there) return nowMs - there.sinceMs >= times.goneMs;
      // Who writes an entry has said before that it is there, and says it again: unless it is gone, it would be heard by then.
      const sinceMs = unknown.get(name);
      if (sinceMs !== undefined) return notedMs - sinceMs >= 2 * times.everyMs;
      if (unknown.size < MOST_UNKNOWN) unknown.set(name, nowMs);
      return false;
    },
    silent: (nowMs) =>
      [...heard].flatMap(([name, { sinceMs }]) => (nowMs - sinceMs >= times.goneMs ? [name] : [])),
  };
}

const MOST_UNKNOWN = 1_000;
