import type { JsonValue } from "@sallyport/controller/admission/admission";
import { API_VERSION, EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type * as z from "zod";
import { type PlacedDocument, readDocuments } from "./documents.ts";
import { ExternalNameService } from "./external-name-service.ts";
import { BadInput, type Io } from "./io.ts";
import { formatPath, type Path, read } from "./mistakes.ts";

/** What a policy is made of, as manifests have it. */
export interface PolicyObjects {
  readonly rules: readonly EgressRule[];
  readonly boundaries: readonly EgressBoundary[];
  /** Services that stand for names outside: a rule is about those. */
  readonly aliases: readonly ExternalNameService[];
}

/** The objects that were given, and where. */
export class Objects implements PolicyObjects {
  readonly rules: EgressRule[] = [];
  readonly boundaries: EgressBoundary[] = [];
  readonly aliases: ExternalNameService[] = [];
  readonly problems: string[] = [];
  /** What was passed over, counted by kind. */
  readonly skipped = new Map<string, number>();
  readonly #places = new Map<string, string>();

  get isEmpty(): boolean {
    return this.rules.length + this.boundaries.length === 0;
  }

  /** A whole document, or the object at a path in it; a List is what it holds. */
  add(document: PlacedDocument, object: JsonValue | undefined = document.object, path: Path = []) {
    const { apiVersion, kind, items } = fields(object);
    const place = { document, path };
    if (typeof apiVersion !== "string" || typeof kind !== "string")
      this.#problem(place, formatPath(path), [], "expected an apiVersion and a kind");
    else if (kind.endsWith("List") && Array.isArray(items))
      for (const [i, item] of items.entries()) this.add(document, item, [...path, "items", i]);
    else if (apiVersion === "v1" && kind === "Service" && typeOf(object) === "ExternalName")
      this.#keep(place, object, ExternalNameService, this.aliases);
    else if (apiVersion.split("/")[0] !== GROUP)
      this.skipped.set(kind, (this.skipped.get(kind) ?? 0) + 1);
    else if (kind === "EgressRule") this.#keep(place, object, EgressRule, this.rules);
    else if (kind === "EgressBoundary") this.#keep(place, object, EgressBoundary, this.boundaries);
    else this.#problem(place, nameOf(object), ["kind"], "expected EgressRule or EgressBoundary");
  }

  /** One line on what was passed over; none where nothing was. */
  skippedLine(): string[] {
    if (this.skipped.size === 0) return [];
    const kinds = [...this.skipped].map(([kind, count]) => `${count} ${kind}`);
    return [`skipped, being neither EgressRule nor EgressBoundary: ${kinds.join(", ")}`];
  }

  #keep<T>(place: Place, object: unknown, schema: z.ZodType<T>, list: T[]): void {
    const result = read(schema, object);
    if ("mistakes" in result) {
      for (const { path, message } of result.mistakes)
        this.#problem(place, nameOf(object), path, message);
      return;
    }
    const name = nameOf(object);
    const there = this.#places.get(name);
    if (there !== undefined)
      this.#problem(place, name, ["metadata", "name"], `it is at ${there}, too: remove one`);
    this.#places.set(name, place.document.at(place.path));
    list.push(result.value);
  }

  #problem({ document, path: base }: Place, name: string, path: Path, message: string): void {
    const parts = [document.at([...base, ...path]), name, formatPath(path), message];
    this.problems.push(parts.filter((part) => part !== "").join(": "));
  }
}

interface Place {
  readonly document: PlacedDocument;
  readonly path: Path;
}

const GROUP = API_VERSION.split("/")[0];

function fields(object: unknown): Readonly<Record<string, unknown>> {
  return typeof object === "object" && object !== null ? (object as Record<string, unknown>) : {};
}

function typeOf(service: unknown): unknown {
  return fields(fields(service).spec).type;
}

/** `EgressRule shop/web` */
function nameOf(object: unknown): string {
  const { kind, metadata } = fields(object);
  const { namespace, name } = fields(metadata);
  const full = [namespace, name].filter((part) => typeof part === "string").join("/");
  return full === "" ? String(kind) : `${kind} ${full}`;
}

/** The objects of these files; every mistake of every file at once. */
export async function readObjects(files: readonly string[], io: Io): Promise<Objects> {
  const { documents, problems } = await readDocuments(files, io.stdin);
  const objects = new Objects();
  for (const document of documents) objects.add(document);
  const mistakes = [...problems, ...objects.problems];
  if (mistakes.length > 0) throw new BadInput(mistakes);
  if (objects.isEmpty)
    throw new BadInput([`${files.join(", ")}: there is no EgressRule and no EgressBoundary in it`]);
  return objects;
}

/** As if every boundary said `mode: enforce`. */
export function enforced({ rules, boundaries, aliases }: PolicyObjects): PolicyObjects {
  return {
    ...{ rules, aliases },
    boundaries: boundaries.map((boundary) => ({
      ...boundary,
      spec: { ...boundary.spec, mode: "enforce" as const },
    })),
  };
}
