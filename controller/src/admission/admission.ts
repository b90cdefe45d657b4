/** A JSON object exactly as the API server sent it: unknown fields, order, `null` and `[]` included. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** RFC 6902; only these operations are ever produced. */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: JsonValue }
  | { readonly op: "remove"; readonly path: string };

/** The value of a namespace's `sallyport.dev/injection` label under which a webhook is called at all. */
export type NamespaceInjection = "enabled" | "all";

/** What a webhook answers, before it is wrapped in an AdmissionReview. */
export type Admission =
  | {
      readonly allowed: true;
      /** Empty: the object is let through as it is. */
      readonly patch: readonly PatchOperation[];
      readonly warnings: readonly string[];
    }
  | { readonly allowed: false; readonly message: string; readonly warnings: readonly string[] };
