import type { RelayBed } from "./bed.ts";
import { arrivedOn } from "./origin.ts";
import { type PlainField, valuesOf } from "./plain-fields.ts";
import type { PlainRequest } from "./plain-requests.ts";
import { type PlainResponse, readResponses } from "./plain-responses.ts";

/** A request to an allowed host; `fields` are lines, each with its end. */
export function get(target: string, fields = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;
}

export function post(target: string, body: string, fields = ""): string {
  return `POST ${target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

export const LAST = "Connection: close\r\n";

/** All that was asked for at the origin so far, complete, by connection. */
export function arrived({ origin: { visits } }: RelayBed): PlainRequest[][] {
  return visits.map((visit) => [...arrivedOn(visit).messages]);
}

/** `GET /a` */
export function asked(bed: RelayBed): string[][] {
  return arrived(bed).map((visit) => visit.map(({ method, target }) => `${method} ${target}`));
}

/** The answers to so many GETs, or by other methods, as far as they are complete. */
export function answers(
  text: string,
  methods: number | readonly string[],
): readonly PlainResponse[] {
  const list = typeof methods === "number" ? Array<string>(methods).fill("GET") : methods;
  return readResponses(text, list, false, "as_forwarded").messages;
}

/** Whose answer each is: what the origin saw, or the status and why there is none of its own. */
export function answeredBy(text: string, methods: number | readonly string[]): string[] {
  return answers(text, methods).map(({ status, fields }) => {
    const [reason] = valuesOf(fields, "x-sallyport-reason");
    if (reason !== undefined) return `${status} ${reason}`;
    return valuesOf(fields, "x-saw")[0]?.replace(/ with .*/, "") ?? String(status);
  });
}

export function fieldNames(fields: readonly PlainField[]): string[] {
  return fields.map(([name]) => name);
}
