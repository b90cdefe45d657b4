import { dirname, isAbsolute, join } from "node:path";
import type { JsonValue } from "@sallyport/controller/admission/admission";
import { type PlacedDocument, readDocuments } from "./documents.ts";
import { BadInput, type Io } from "./io.ts";
import { formatPath, read } from "./mistakes.ts";
import { Objects } from "./objects.ts";
import { TestFile } from "./test-file.ts";

/** The cases of one document, and the objects that they are about. */
export interface Suite extends TestFile {
  readonly title: string;
  readonly objects: Objects;
  /** `cases.yaml:12` */
  at(caseIndex: number): string;
}

/** Every mistake of every file, and of the files that they name, at once. */
export async function readSuites(names: readonly string[], io: Io): Promise<Suite[]> {
  const { documents, problems } = await readDocuments(names, io.stdin);
  const mistakes = [...problems];
  const suites: Suite[] = [];
  for (const document of documents) {
    if (isManifest(document)) continue;
    const result = read(TestFile, document.object);
    if ("mistakes" in result)
      for (const { path, message } of result.mistakes)
        mistakes.push(
          `${document.at(path)}: ${path.length > 0 ? `${formatPath(path)}: ` : ""}${message}`,
        );
    // Rules are looked at even then: every mistake at once.
    const objects = await objectsOf(document, mistakes);
    if ("value" in result)
      suites.push({
        ...result.value,
        title: result.value.name ?? document.file,
        objects,
        at: (index) => document.at(["cases", index]),
      });
  }
  if (suites.length === 0 && mistakes.length === 0)
    mistakes.push(`${names.join(", ")}: there are no cases in it`);
  if (mistakes.length > 0) throw new BadInput(mistakes);
  return suites;
}

/** A folder may hold the rules beside their cases. */
function isManifest({ object }: PlacedDocument): boolean {
  return typeof object.apiVersion === "string" && typeof object.kind === "string";
}

async function objectsOf(document: PlacedDocument, mistakes: string[]): Promise<Objects> {
  const objects = new Objects();
  const { rules } = document.object;
  const list: readonly JsonValue[] = Array.isArray(rules) ? rules : [];
  for (const [i, rule] of list.entries())
    if (typeof rule === "string") {
      const { documents, problems } = await readDocuments([pathOf(document, rule)], NOTHING);
      mistakes.push(
        ...problems.map((problem) => `${document.at(["rules", i])}: rules[${i}]: ${problem}`),
      );
      // A folder may hold the cases beside their rules.
      for (const each of documents.filter(isManifest)) objects.add(each);
    } else if (typeof rule === "object") objects.add(document, rule, ["rules", i]);
  mistakes.push(...objects.problems);
  if (list.length > 0 && objects.isEmpty && objects.problems.length === 0 && mistakes.length === 0)
    mistakes.push(
      `${document.at(["rules"])}: rules: there is no EgressRule and no EgressBoundary in them`,
    );
  return objects;
}

const NOTHING: Io["stdin"] = (async function* () {})();

function pathOf({ file }: PlacedDocument, name: string): string {
  return isAbsolute(name) || file === "stdin" ? name : join(dirname(file), name);
}
