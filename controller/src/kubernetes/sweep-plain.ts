import type { JsonObject } from "../admission/admission.ts";

/** An object of the client's classes as JSON has it: dates are texts again, and what is absent is absent. */
export function plain(object: object): JsonObject {
  return JSON.parse(JSON.stringify(object));
}
