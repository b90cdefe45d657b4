import type { JsonValue } from "@sallyport/controller/admission/admission";
import { type Document, isPair, isSeq, stringify, visit } from "yaml";
import { dashOf, indentAt, isFlow, startOf } from "./geometry.ts";

/** How a document is written, as far as new lines follow it. */
export interface Style {
  /** Whether the dashes of a list stand further in than its key. */
  readonly indentSeq: boolean;
  /** What ends its lines. */
  readonly newline: "\n" | "\r\n";
}

/** As the first list of the document is written; as kubectl writes where there is none. */
export function styleOf(text: string, document: Document.Parsed): Style {
  let indentSeq = false;
  visit(document, {
    Pair: (_, pair) => {
      if (
        !isPair(pair) ||
        !isSeq(pair.value) ||
        isFlow(pair.value) ||
        pair.value.items.length === 0
      )
        return;
      indentSeq = indentAt(text, dashOf(pair.value, 0)) > indentAt(text, startOf(pair));
      return visit.BREAK;
    },
  });
  return { indentSeq, newline: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** Lines of block YAML, each indented and ended. */
export function block(value: JsonValue, { indentSeq, newline }: Style, indent: string): string {
  const lines = stringify(value, {
    lineWidth: 0,
    indentSeq,
    // What only YAML 1.1 takes for a boolean or a number is quoted, too.
    compat: "yaml-1.1",
  });
  return lines.replaceAll(/^(?=.)/gm, indent).replaceAll("\n", newline);
}
