/** What the API says of a field beyond its type, by the field's path: `spec.to[].hosts`; `[]` is each item of a list. */
export type Notes = Readonly<Record<string, Note>>;

export interface Note {
  /** What `kubectl explain` shows. Every field has one. */
  readonly says?: string;
  /** Most items of a list, most characters of a text: CEL's cost is estimated by them. */
  readonly most?: number;
  /** A list whose items have this key is merged by it; any other is replaced as a whole. */
  readonly keyedBy?: string;
  /** An object that is replaced as a whole. */
  readonly atomic?: true;
  readonly rules?: readonly CelRule[];
}

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** CEL that makes the message of what was found; `message` is there should that fail. */
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

/** The notes of a schema that stands in several places. */
export function under(path: string, notes: Notes): Notes {
  return Object.fromEntries(Object.entries(notes).map(([at, note]) => [`${path}${at}`, note]));
}
