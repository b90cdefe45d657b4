import { REASONS } from "@sallyport/core/reasons";
import * as z from "zod";

/** What pods answer comes from pods: only what is asked for is taken of it, and only where it has its form and length. */
const Short = z.string().max(512);
const Count = z.number().min(0);

/** Of /overview (proxy/src/admin/insight.ts). */
export const Overview = z.object({
  started: Short,
  policy: z.object({
    mode: Short,
    version: z.number(),
    revision: Short.optional(),
    problem: z.string().max(8_192).optional(),
  }),
  control: z
    .object({
      connected: z.boolean(),
      since: Short.optional(),
      problem: z.string().max(8_192).optional(),
    })
    .optional(),
  connections: z.object({ open: Count }),
  not_ready: z.string().max(8_192).optional(),
});
export type Overview = z.output<typeof Overview>;

const reason = z.enum(Object.keys(REASONS) as (keyof typeof REASONS)[]);

/** Of /destinations?format=json (proxy/src/destination-summary.ts). */
export const Destinations = z.object({
  destinations: z
    .array(
      z.object({
        name: Short.optional(),
        invalid_name: z.string().max(2_048).optional(),
        address: Short,
        port: Count,
        protocol: Short.optional(),
        reason,
        would_be: reason.optional(),
        rule: Short.optional(),
        nearest: Short.optional(),
        open: Count,
        connections: Count,
        requests: Count,
        last_time: Short.optional(),
      }),
    )
    .max(2_000),
});
export type Destination = z.output<typeof Destinations>["destinations"][number];
