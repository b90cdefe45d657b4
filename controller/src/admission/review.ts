import * as z from "zod";
import type { Admission, JsonObject, JsonValue } from "./admission.ts";
import { boundedWarnings } from "./review-warnings.ts";

const API_VERSION = "admission.k8s.io/v1";

/** An object of the API, passed on as it came: the very same value, nothing stripped, nothing filled in. */
const RawObject = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "expected an object",
);

const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const Request = z
  .looseObject({
    uid: z.string().min(1),
    kind: z.looseObject({ group: optionalText, version: z.string(), kind: z.string() }),
    subResource: optionalText,
    name: optionalText,
    namespace: optionalText,
    operation: z.enum(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    object: RawObject.nullish(),
    oldObject: RawObject.nullish(),
    dryRun: z.boolean().nullish(),
  })
  .refine(({ operation, object }) => !WITH_OBJECT.includes(operation) || object != null, {
    path: ["object"],
    error: "expected an object: there is one in every CREATE and UPDATE",
  });

const WITH_OBJECT: readonly string[] = ["CREATE", "UPDATE"];

/** What is read of an AdmissionReview v1; the API may add to it, and what is read is checked. */
const AdmissionReview = z.looseObject({
  apiVersion: z.literal(API_VERSION, {
    error: ({ input }) =>
      `expected "${API_VERSION}", found ${JSON.stringify(input) ?? "nothing"}: a webhook configuration asks for it by admissionReviewVersions: ["v1"]`,
  }),
  kind: z.literal("AdmissionReview"),
  request: Request,
});

/** The question that an API server asks. `object` is absent on DELETE, `oldObject` on CREATE; texts may be empty. */
export type ReviewRequest = z.output<typeof Request>;

/** An Error lists every wrong path. */
export function decodeReview(json: JsonValue): ReviewRequest | Error {
  const decoded = AdmissionReview.safeParse(json);
  return decoded.success
    ? decoded.data.request
    : new Error(`this is not an AdmissionReview request:\n${z.prettifyError(decoded.error)}`);
}

export function answerReview(uid: string, admission: Admission): JsonObject {
  const warnings = boundedWarnings(admission.warnings);
  return {
    apiVersion: API_VERSION,
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: admission.allowed,
      ...(admission.allowed ? patchOf(admission.patch) : refusal(admission.message)),
      ...(warnings.length > 0 && { warnings }),
    },
  };
}

/** The API server refuses a patchType without a patch. */
function patchOf(patch: Extract<Admission, { allowed: true }>["patch"]): JsonObject {
  if (patch.length === 0) return {};
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
}

function refusal(message: string): JsonObject {
  return { status: { code: 403, reason: "Forbidden", message } };
}
