import type { ControllerLine } from "@sallyport/core/delivery";
import { SNAPSHOT_SCHEMA } from "@sallyport/core/snapshot";
import type { Compiled } from "../rules/snapshots.ts";

export const lineOf = (line: ControllerLine): Buffer => Buffer.from(`${JSON.stringify(line)}\n`);

export const BEAT = lineOf({ type: "beat" });

/** The snapshot schemas that can be compiled to; the best that a sidecar knows is what it is sent. */
const SCHEMAS: readonly number[] = [SNAPSHOT_SCHEMA];

/** Undefined where it knows none of them. */
export function schemaFor(known: readonly number[]): number | undefined {
  return SCHEMAS.findLast((schema) => known.includes(schema));
}

export const SCHEMAS_TEXT = SCHEMAS.join(", ");

/** Of a content, by its revision: sidecars that are being sent the same share its bytes, and then nobody holds them. */
const contents = new Map<string, WeakRef<Buffer>>();
const unused = new FinalizationRegistry<string>((revision) => {
  if (contents.get(revision)?.deref() === undefined) contents.delete(revision);
});

function contentOf({ revision, json }: Compiled): Buffer {
  let content = contents.get(revision)?.deref();
  if (!content) {
    content = Buffer.from(json);
    contents.set(revision, new WeakRef(content));
    unused.register(content, revision);
  }
  return content;
}

const END = Buffer.from("}\n");
/** The parts of its line, of which the largest is not this sidecar's alone. */
export function snapshotLine(compiled: Compiled, rewound: boolean): Buffer[] {
  const { revision, basis } = compiled;
  const start = JSON.stringify({ type: "snapshot", revision, basis, ...(rewound && { rewound }) });
  return [Buffer.from(`${start.slice(0, -1)},"snapshot":`), contentOf(compiled), END];
}

export const bytesOf = (parts: readonly Buffer[]): number =>
  parts.reduce((bytes, part) => bytes + part.length, 0);
