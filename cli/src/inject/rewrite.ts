import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { Change } from "./change.ts";
import { edit } from "./edit.ts";
import { type Manifest, ManifestError, manifestsOf } from "./manifests.ts";
import type { Source } from "./sources.ts";
import { type PodPlace, podsIn } from "./templates.ts";

export interface Rewritten {
  readonly text: string;
  /** What is to be told, a line each: file and document, object, what. */
  readonly remarks: readonly string[];
  /** Something was refused, or could not be read or written: the text is not to be used. */
  readonly failed: boolean;
}

type ChangePod = (document: JsonObject, place: PodPlace) => Change;

/** Every pod of a source changed; documents without one are given back byte for byte. */
export function rewrite({ name, text }: Source, done: string, change: ChangePod): Rewritten {
  let manifests: Manifest[];
  try {
    manifests = manifestsOf(text);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { text, remarks: [`${name}:${error.message}`], failed: true };
  }
  const all = manifests.map((manifest) => {
    const where = manifests.length > 1 ? `${name}[${manifest.number}]` : name;
    return rewriteManifest(manifest, where, done, change);
  });
  return {
    text: all.map((one) => one.text).join("") || text,
    remarks: all.flatMap((one) => one.remarks),
    failed: all.some((one) => one.failed),
  };
}

function rewriteManifest(
  { text, object }: Manifest,
  where: string,
  done: string,
  change: ChangePod,
): Rewritten {
  if (!object) return { text, remarks: [], failed: false };
  const remarks: string[] = [];
  let [result, document, failed] = [text, object, false];
  for (const place of podsIn(object)) {
    const tell = (what: string) => remarks.push(`${where} ${place.name}: ${what}`);
    const changed = change(document, place);
    for (const warning of changed.warnings) tell(`warning: ${warning}`);
    if (changed.refusal !== undefined) {
      tell(changed.refusal);
      failed = true;
      continue;
    }
    if (changed.operations.length === 0) {
      tell("left as it is");
      continue;
    }
    const edited = edit(result, changed.operations, changed.document);
    if (edited instanceof Error) {
      tell(edited.message);
      failed = true;
      continue;
    }
    [result, document] = [edited, changed.document];
    tell(done);
  }
  return { text: result, remarks, failed };
}

/** Streams one after another as one stream. */
export function joined(texts: readonly string[]): string {
  return texts
    .filter((text) => text.trim() !== "")
    .reduce((all, text) => {
      if (all === "") return text;
      const end = all.endsWith("\n") ? "" : "\n";
      const separator = /^(?:[ \t]*(?:#.*)?\r?\n)*(?:---|%)/.test(text) ? "" : "---\n";
      return all + end + separator + text;
    }, "");
}
