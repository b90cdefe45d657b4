import * as z from "zod";

export type Path = readonly PropertyKey[];

export interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** The value as the schema reads it, or every mistake in it, each at its own path and with what is expected there. */
export function read<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly value: T } | { readonly mistakes: readonly Mistake[] } {
  const { data, error } = schema.safeParse(value);
  return error
    ? { mistakes: error.issues.flatMap((issue) => mistakesOf(issue, schema, value)) }
    : { value: data as T };
}

export function formatPath(path: Path): string {
  return z.core.toDotPath([...path]);
}

function mistakesOf(issue: z.core.$ZodIssue, schema: z.ZodType, whole: unknown): Mistake[] {
  const { path, message } = issue;
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(schema, path);
      const expected = known ? `; expected ${known.join(", ")}` : "";
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `no such field${expected}`,
      }));
    }
    case "invalid_key":
      return issue.issues.map((each) => ({ path, message: each.message }));
    case "invalid_type":
    case "invalid_value": {
      const [expected = message] = /expected .*?(?=, received|$)/.exec(message) ?? [];
      return [
        {
          path,
          message: valueAt(whole, path) === undefined ? `it is missing: ${expected}` : message,
        },
      ];
    }
    default:
      return [{ path, message }];
  }
}

function valueAt(whole: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === "object" && at !== null ? at[step as keyof typeof at] : undefined),
    whole,
  );
}

/** The fields of the object that the schema has at a path; undefined where it has none. */
function keysAt(schema: z.ZodType, path: Path): string[] | undefined {
  let at: z.core.$ZodType | undefined = bare(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = at.shape[String(step)];
    else if (at instanceof z.ZodArray) at = at.element;
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else return undefined;
    at = at && bare(at);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : undefined;
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
    ? bare(schema.def.innerType)
    : schema;
}
