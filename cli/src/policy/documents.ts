import type { JsonObject } from "@sallyport/controller/admission/admission";
import { type Document, isMap, isNode } from "yaml";
import { ManifestError, manifestsOf, parse } from "../inject/manifests.ts";
import { readSources, type Source } from "../inject/sources.ts";
import type { Io } from "./io.ts";
import type { Path } from "./mistakes.ts";

/** One document of a file, and where in the file a part of it stands. */
export interface PlacedDocument {
  /** The file's name, or `stdin`. */
  readonly file: string;
  readonly object: JsonObject;
  /** `rules.yaml:12`, and `(document 2)` where the file has several. */
  at(path: Path): string;
}

export interface Documents {
  readonly documents: readonly PlacedDocument[];
  /** What could not be read, a line each. */
  readonly problems: readonly string[];
}

/** Files, folders and `-`, as `kubectl apply -f` takes them; what cannot be read does not keep the others from it. */
export async function readDocuments(
  names: readonly string[],
  stdin: Io["stdin"],
): Promise<Documents> {
  const documents: PlacedDocument[] = [];
  const problems: string[] = [];
  for (const name of names)
    try {
      for (const source of await readSources([name], stdin))
        try {
          documents.push(...documentsOf(source));
        } catch (error) {
          if (!(error instanceof ManifestError)) throw error;
          problems.push(`${source.name}:${error.message}`);
        }
    } catch (error) {
      problems.push((error as Error).message);
    }
  return { documents, problems };
}

export function documentsOf({ name: file, text }: Source): PlacedDocument[] {
  const manifests = manifestsOf(text);
  return manifests.flatMap((manifest, i) => {
    if (!manifest.object) return [];
    const which = manifests.length > 1 ? ` (document ${manifest.number})` : "";
    let parsed: Document.Parsed | undefined;
    const at = (path: Path) => {
      parsed ??= parse(manifest.text);
      const before = manifests.slice(0, i).map((each) => each.text);
      const line = linesIn([...before, manifest.text.slice(0, offsetOf(parsed, path))].join(""));
      return `${file}:${line}${which}`;
    };
    return [{ file, object: manifest.object, at }];
  });
}

/** Of the path, or of what is nearest around it: a mistake may be that something is not there. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const around = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(around) && around.items.find((item) => String(item.key) === key);
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range[0] ?? 0;
}

function linesIn(text: string): number {
  return text.split("\n").length;
}
