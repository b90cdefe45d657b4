import type { Heard } from "./caller.ts";

/** TLSPlaintext.type and AlertLevel (RFC 8446 §5.1, §6). */
const ALERT = "\x15";
const HANDSHAKE = "\x16";

/** What an app was told, in words: `alert 49`, `handshake`, `403`, `reset`, or the line that a witness said. */
export function told({ text, how }: Heard): string {
  if (how === "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED") return "alert 49";
  if (text.startsWith(ALERT)) return `alert ${text.charCodeAt(6)}`;
  if (text.startsWith(HANDSHAKE)) return "handshake";
  const http = /^HTTP\/1\.1 (\d+) .*?\r\n\r\n(.*)/s.exec(text);
  if (http) return http[1] === "200" ? (http[2] ?? "").trim() : (http[1] ?? "");
  if (text !== "") return text.trim();
  return how === "ECONNRESET" ? "reset" : how;
}

/** Each item in turn, so many at a time. */
export async function pooled<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
