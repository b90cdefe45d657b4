let second = -1;
let text = "";

/** RFC 3339, UTC, milliseconds, as Date.toISOString; most of one is as it was in the last. */
export function timestamp(ms: number): string {
  const now = Math.floor(ms / 1_000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1_000).toISOString().slice(0, -4);
  }
  return `${text}${String(ms - now * 1_000).padStart(3, "0")}Z`;
}
