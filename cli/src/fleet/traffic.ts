import type { JsonObject } from "@sallyport/controller/admission/admission";
import * as z from "zod";
import { type Access, NoAnswer } from "../kubernetes/access.ts";
import { RecordLine } from "../policy/record-lines.ts";
import { placeOf, sidecarJson } from "./sidecar-page.ts";

const Count = z.int().min(0);

/** Of a destination of a sidecar's (proxy/src/destination-summary.ts), what is needed here. */
const Destination = z.object({
  name: z.string().optional(),
  invalid_name: z.string().optional(),
  address: z.string(),
  port: z.int(),
  protocol: RecordLine.shape.protocol,
  reason: z.string(),
  would_be: z.string().optional(),
  rule: z.string().optional(),
  external_name: z.string().optional(),
  open: Count,
  connections: Count,
  requests: Count,
  first_time: z.string(),
  last_time: z.string().optional(),
});
export type DestinationLine = z.output<typeof Destination>;

const Destinations = z.object({
  destinations: z.array(Destination),
  others: z.object({ connections: Count, requests: Count }),
});
export type DestinationLines = z.output<typeof Destinations>;

const Decisions = z.object({ decisions: z.array(z.unknown()) });

/** The newest first; as many as the sidecar keeps. */
export async function decisionsOf(
  access: Pick<Access, "config" | "rest">,
  pod: JsonObject,
): Promise<readonly RecordLine[]> {
  const page = await sidecarJson(access, pod, "/decisions?format=json");
  const read = Decisions.safeParse(page);
  if (!read.success) throw notUnderstood(pod, "/decisions");
  return read.data.decisions.flatMap((each) => RecordLine.safeParse(each).data ?? []);
}

export async function destinationsOf(
  access: Pick<Access, "config" | "rest">,
  pod: JsonObject,
): Promise<DestinationLines> {
  const read = Destinations.safeParse(await sidecarJson(access, pod, "/destinations?format=json"));
  if (!read.success) throw notUnderstood(pod, "/destinations");
  return read.data;
}

function notUnderstood(pod: JsonObject, path: string): NoAnswer {
  return new NoAnswer(
    `pod ${placeOf(pod).name}: this version of the command does not understand its sidecar's ${path}; use the command of the sidecar's version`,
  );
}
