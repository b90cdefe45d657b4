import { ControllerLine } from "@sallyport/core/delivery";

const KNOWN: readonly unknown[] = ControllerLine.options.map(({ shape }) => shape.type.value);

/**
 * What the controller has said, or a text that says why nobody can understand it. Undefined of a kind that only a newer one
 * knows: it may have more to say, and what must be understood is in the snapshot.
 */
export function readControllerLine(text: string): ControllerLine | string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "the controller wrote a line that is not JSON";
  }
  const type = (json as { type?: unknown } | null)?.type;
  if (typeof type === "string" && !KNOWN.includes(type)) return undefined;
  const read = ControllerLine.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = [type, ...(issue?.path ?? [])].filter((step) => step !== undefined).join(".");
  return `the controller wrote a line that cannot be understood: ${place === "" ? "" : `${place}: `}${issue?.message}`;
}
