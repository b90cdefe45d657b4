import { listOf, trimmed } from "./fields.ts";

const SHORTEST = "a/json".length;
const NAMED = /^text\/|[/+]json$/;

/**
 * Whether an Accept field prefers JSON to text (RFC 9110 §12.5.1): it names a JSON type, and gives no text type a higher
 * weight, or the same and earlier. A browser and curl do not; what speaks to an API mostly does.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (!accept || accept.length < SHORTEST || !/json/i.test(accept)) return false;
  const ranges = listOf(accept)
    .map(weighed)
    .filter(({ weight }) => weight > 0);
  const best = Math.max(...ranges.map(({ weight }) => weight));
  const first = ranges.find(({ type, weight }) => weight === best && NAMED.test(type));
  return first?.type.endsWith("json") ?? false;
}

function weighed(range: string): { type: string; weight: number } {
  const [type = "", ...parameters] = range.split(";").map((part) => trimmed(part).toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return { type, weight: Number.isNaN(weight) ? 0 : weight };
}
