import { createHmac, timingSafeEqual } from "node:crypto";
import type { JsonObject, JsonValue } from "./admission.ts";
import { withoutPluginChanges } from "./built-in-plugins.ts";
import { canonical } from "./canonical.ts";
import type { DrawIdentity } from "./identity.ts";
import type { Sidecar } from "./sidecar-in.ts";

type Key = DrawIdentity["sealKey"];

export interface Signed {
  readonly namespace: string;
  readonly sidecar: Sidecar;
  /** As it is written, with what only another version knows (`signedStatus`). */
  readonly status: JsonObject;
}

/**
 * Shows a replica that knows the key that this sidecar was made by another one, of whatever version and configuration:
 * while a new controller replaces the old one, a pod may be injected by either and judged by the other.
 */
export function signatureOf({ namespace, sidecar, status }: Signed, key: Key): string | undefined {
  if (key === "believe-the-file") return undefined;
  const { initContainers, containers, volumes } = sidecar;
  const signed = {
    ...{ namespace, status },
    initContainers: initContainers.map(withoutPluginChanges),
    containers: containers.map(withoutPluginChanges),
    volumes: [...volumes].sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
  };
  return createHmac("sha256", key)
    .update(`sidecar\n${canonical(signed as unknown as JsonValue)}`)
    .digest("base64url");
}

export function isSigned(signature: string | undefined, signed: Signed, key: Key): boolean {
  const wanted = Buffer.from(signatureOf(signed, key) ?? "");
  const given = Buffer.from(signature ?? "");
  return given.length > 0 && wanted.length === given.length && timingSafeEqual(wanted, given);
}
