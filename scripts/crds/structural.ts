import * as z from "zod";
import type { CelRule, Note, Notes } from "./notes.ts";

/** A structural schema as a CustomResourceDefinition holds it. */
export type Structural = { [key: string]: unknown };

/** What is read of zod's JSON Schema. */
interface Schema {
  type?: string;
  format?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: unknown;
  items?: Schema;
  pattern?: string;
  maximum?: number;
  [key: string]: unknown;
}

/** A field without a note, or a note without a field. */
export class Undescribed extends Error {}

/**
 * The schema that the API server checks objects by, with what is said of each field. A structural schema prunes what it
 * does not name, where zod refuses it: kubectl, which asks for strict validation, has it refused here too.
 */
export function structural(schemas: Readonly<Record<string, z.ZodType>>, notes: Notes) {
  const unused = new Set(Object.keys(notes));
  const missing: string[] = [];
  const noteOf = (path: string): Note => {
    unused.delete(path);
    return notes[path] ?? {};
  };
  const made = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      // "output": of what is read through a function, what comes out of it.
      const json = z.toJSONSchema(schema, { io: "output", target: "openapi-3.0" }) as Schema;
      return [name, fieldAt(name, json, noteOf, missing)];
    }),
  );
  if (missing.length > 0) throw new Undescribed(`scripts/crds says nothing of ${missing.join()}`);
  if (unused.size > 0)
    throw new Undescribed(`scripts/crds speaks of what is not there: ${[...unused].join()}`);
  return made;
}

function fieldAt(
  path: string,
  schema: Schema,
  noteOf: (path: string) => Note,
  missing: string[],
): Structural {
  const { says, most, keyedBy, atomic, rules } = noteOf(path);
  if (says === undefined && !path.endsWith("[]")) missing.push(path);
  const below = (name: string, each: Schema) => fieldAt(`${path}${name}`, each, noteOf, missing);
  const { properties, required, additionalProperties, items, ...rest } = schema;
  return {
    ...(says !== undefined && { description: says }),
    ...typed(rest),
    ...(most !== undefined && { [items ? "maxItems" : "maxLength"]: most }),
    ...(properties && objectOf(properties, required ?? [], below)),
    ...(!properties && additionalProperties !== undefined && { additionalProperties }),
    ...(items && {
      items: below("[]", items),
      "x-kubernetes-list-type": keyedBy === undefined ? "atomic" : "map",
    }),
    ...(keyedBy !== undefined && { "x-kubernetes-list-map-keys": [keyedBy] }),
    ...(atomic && { "x-kubernetes-map-type": "atomic" }),
    ...(rules && { "x-kubernetes-validations": rules.map(celOf) }),
  };
}

/** What the API server fills in need not be given. */
function objectOf(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
  below: (name: string, schema: Schema) => Structural,
): Structural {
  const needed = required.filter((name) => properties[name]?.default === undefined);
  return {
    ...(needed.length > 0 && { required: needed }),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, below(`.${name}`, each)]),
    ),
  };
}

/** zod bounds an integer by what a JavaScript number holds exactly, and a time by a pattern; the API has formats for both. */
function typed({ pattern, maximum, ...schema }: Schema): Structural {
  if (schema.type === "integer")
    return {
      ...schema,
      ...(maximum === Number.MAX_SAFE_INTEGER ? { format: "int64" } : { maximum, format: "int32" }),
    };
  return { ...schema, ...(pattern !== undefined && schema.format === undefined && { pattern }) };
}

function celOf({ fieldPath, ...rule }: CelRule): Structural {
  return { ...rule, ...(fieldPath !== undefined && { fieldPath }), reason: "FieldValueInvalid" };
}
