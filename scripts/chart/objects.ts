import { parseAllDocuments } from "yaml";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: of many kinds, each read by who knows it
  readonly [key: string]: any;
}

/** The objects of a YAML stream; documents that hold none are passed over. */
export function objectsOf(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml)
    .map((document) => {
      for (const error of document.errors) throw error;
      return document.toJS() as KubernetesObject | null;
    })
    .filter((object) => object !== null);
}

/** The only one of that kind, or of that kind and name. */
export function the(
  kind: string,
  objects: readonly KubernetesObject[],
  name?: string,
): KubernetesObject {
  const [found, another] = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (!found || another)
    throw new Error(`${found ? "more than one" : "no"} ${kind} ${name ?? ""}`.trim());
  return found;
}
