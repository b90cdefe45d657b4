/** Numbers and times as people read them: a figure and its unit do not part at the end of a line. */
const SPACE = "\u00a0";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Decimal units, three digits at most: `0 B`, `999 B`, `1.2 KB`, `34 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${digits}${SPACE}${UNITS[unit]}`;
}

/** `1 234 567`, with spaces that do not break. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** `now`, `4 s`, `12 min`, `3 h`, `5 d`: one unit is enough to see what is recent. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds}${SPACE}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}${SPACE}min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}${SPACE}h`;
  return `${Math.floor(seconds / 86_400)}${SPACE}d`;
}

/** `4 s ago`, `now`. */
export function formatAgo(ms: number): string {
  const age = formatAge(ms);
  return age === "now" ? age : `${age}${SPACE}ago`;
}

/** `0.4 ms`, `209 ms`, and from a second on as an age. */
export function formatDuration(ms: number): string {
  if (ms >= 999.5) return formatAge(ms);
  return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)}${SPACE}ms`;
}

/** `1 request`, `2 requests`. */
export function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}
