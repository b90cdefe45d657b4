import { EgressBoundary } from "@sallyport/core/rules";
import type * as z from "zod";
import type { KnownBoundary } from "../src/rules/knowledge.ts";

const known = (name: string, object: KnownBoundary["object"]): KnownBoundary => ({
  kind: "EgressBoundary",
  name,
  uid: `uid-of-${name}`,
  generation: 1,
  object,
  status: undefined,
});

/** A boundary as the controller knows it. */
export function boundary(
  name: string,
  spec: z.input<typeof EgressBoundary>["spec"] = {},
): KnownBoundary {
  const apiVersion = "sallyport.dev/v1alpha1";
  const object = { apiVersion, kind: "EgressBoundary", metadata: { name }, spec };
  return known(name, EgressBoundary.parse(object));
}

/** One that was forced past validation, and of which no good version has been seen. */
export function unusable(name: string): KnownBoundary {
  return { ...known(name, undefined), problem: "spec.injection: expected optional or required" };
}
