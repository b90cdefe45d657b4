import { randomBytes, randomInt } from "node:crypto";
import type { DrawIdentity } from "./identity.ts";

/** Replicas that share a key know each other's seals; with keys of their own each draws anew what another has drawn. */
export function randomIdentity(sealKey: Uint8Array = randomBytes(32)): DrawIdentity {
  return { random: (below) => randomInt(below), sealKey };
}
