import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type * as z from "zod";
import { all } from "../check/gather.ts";
import { known, type Read, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { formatPath, read } from "../policy/mistakes.ts";

export const POLICY_API = "/apis/sallyport.dev/v1alpha1";

/** A rule or boundary that is there, and cannot be used. */
export interface Unusable {
  /** `egressrule/web`, with the namespace before it where it has one. */
  readonly subject: string;
  /** Every mistake in it, with its path. */
  readonly mistakes: readonly string[];
}

/** Objects of one kind, as the API server stores them. */
export interface Stored<T> {
  readonly object: T;
  readonly stored: JsonObject;
}

export interface Listed<T> {
  readonly usable: readonly Stored<T>[];
  readonly unusable: readonly Unusable[];
}

/** Of a namespace, or of all that may be seen. */
export async function readRules(
  rest: Rest,
  namespace: string | undefined,
): Promise<Read<Listed<EgressRule>>> {
  const where = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const read = await reading(all(rest.list(`${POLICY_API}${where}/egressrules`)));
  return "value" in read ? { value: sorted(read.value, EgressRule) } : read;
}

export async function readBoundaries(rest: Rest): Promise<Read<Listed<EgressBoundary>>> {
  const read = await reading(all(rest.list(`${POLICY_API}/egressboundaries`)));
  return "value" in read ? { value: sorted(read.value, EgressBoundary) } : read;
}

function sorted<T>(objects: readonly JsonObject[], schema: z.ZodType<T>): Listed<T> {
  const usable: Stored<T>[] = [];
  const unusable: Unusable[] = [];
  for (const stored of objects) {
    const result = read(schema, stored);
    if ("value" in result) usable.push({ object: result.value, stored });
    else
      unusable.push({
        subject: subjectOf(stored),
        mistakes: result.mistakes.map(({ path, message }) => `${formatPath(path)}: ${message}`),
      });
  }
  return { usable, unusable };
}

/** As `sallyport check` names what it is about. */
export function subjectOf(object: JsonObject): string {
  const { name, namespace } = asObject(object.metadata);
  const own = `${String(object.kind).toLowerCase()}/${name}`;
  return namespace === undefined ? own : `${namespace}/${own}`;
}

/** The objects alone; none where they are not known, or there is no such kind. */
export function objectsOf<T>(read: Read<Listed<T>>): readonly T[] {
  return known(read)?.usable.map(({ object }) => object) ?? [];
}
