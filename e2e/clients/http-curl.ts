import type { Bed } from "./bed.ts";

/** Waits for no one for long, and says its errors. */
export const CURL = ["curl", "--silent", "--show-error", "--max-time", "15"];

export interface Answer {
  readonly status: number;
  /** By their names in lower case; of the last response where there were several. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** curl's own: 0 where the response was complete (https://curl.se/docs/manpage.html#EXIT). */
  readonly exit: number | string;
  readonly stderr: string;
}

/** What curl gets in the pod. */
export async function curl(bed: Bed, ...args: readonly string[]): Promise<Answer> {
  const { status: exit, stdout, stderr } = await bed.run([...CURL, "--include", ...args]);
  let [head = "", ...rest] = stdout.split("\r\n\r\n");
  while (/^HTTP\/1\.1 1\d\d/.test(head)) [head = "", ...rest] = rest;
  const [line = "", ...fields] = head.split("\r\n");
  const headers = new Map(
    fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const status = Number(/^HTTP\/1\.[01] (\d+)/.exec(line)?.[1] ?? 0);
  return { status, headers, body: rest.join("\r\n\r\n"), exit, stderr };
}
