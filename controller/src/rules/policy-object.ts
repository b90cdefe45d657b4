import { field } from "@sallyport/core/form";
import { API_VERSION, EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { LabelSelector } from "@sallyport/core/selector";
import { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import * as z from "zod";
import type { RawObject } from "../kubernetes/list-pages.ts";
import type { Known, KnownBoundary, KnownRule } from "./knowledge.ts";

/** A boundary, and the namespaces that it might be over where nothing else of it can be used; absent: all. */
export interface BoundaryEntry extends KnownBoundary {
  readonly reach?: LabelSelector;
}

/** A rule as it counts: the newest that can be used, and a problem where that is not the newest. */
export function ruleEntry(raw: RawObject, before: KnownRule | undefined): KnownRule {
  return {
    kind: "EgressRule",
    namespace: raw.metadata.namespace ?? "",
    ...known("EgressRule", EgressRule, EgressRuleStatus, raw, before),
  };
}

export function boundaryEntry(raw: RawObject, before: BoundaryEntry | undefined): BoundaryEntry {
  const entry = known("EgressBoundary", EgressBoundary, EgressBoundaryStatus, raw, before);
  const reach =
    entry.object === undefined
      ? LabelSelector.optional().safeParse(field(raw.spec, "namespaceSelector")).data
      : undefined;
  return { kind: "EgressBoundary", ...entry, ...(reach && { reach }) };
}

/** What the API server calls the same is judged once: a status that is written again and again costs no second reading. */
function known<T, S>(
  kind: "EgressRule" | "EgressBoundary",
  schema: z.ZodType<T>,
  statusSchema: z.ZodType<S>,
  raw: RawObject,
  before: Known<T, S> | undefined,
): Omit<Known<T, S>, "kind" | "namespace"> {
  const { name, namespace, uid, generation = 0 } = raw.metadata;
  const status = raw.status === undefined ? undefined : statusSchema.safeParse(raw.status).data;
  const last = before?.uid === uid ? before : undefined;
  if (last && last.generation === generation && generation > 0) {
    const { object, problem } = last;
    return { name, uid, generation, status, object, ...(problem !== undefined && { problem }) };
  }
  const { metadata: _, status: __, ...rest } = raw;
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  const read = schema.safeParse({ ...rest, apiVersion: API_VERSION, kind, metadata });
  if (read.success) return { name, uid, generation, status, object: read.data };
  return { name, uid, generation, status, object: last?.object, problem: problemOf(read.error) };
}

/** It goes into logs, statuses and what sidecars are told: the first few mistakes, in so many characters. */
const TOLD = { mistakes: 5, characters: 2_000 } as const;

function problemOf({ issues }: z.ZodError): string {
  const more = issues.length - TOLD.mistakes;
  const texts = issues
    .slice(0, TOLD.mistakes)
    .map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`);
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join("; ").slice(0, TOLD.characters);
}
