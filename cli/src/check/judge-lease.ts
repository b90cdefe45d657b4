import type { JsonObject } from "@sallyport/controller/admission/admission";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { timeOf } from "@sallyport/controller/assessment/written";
import { known } from "../kubernetes/read.ts";
import { type InstallFacts, NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";

/** A Lease that has run out is taken within seconds, and by a controller that has only just started within these. */
const MARGIN_MS = 30_000;

/** Whether one of the controllers leads; nothing to say where they are not told to hold a Lease, or it may not be read. */
export function judgeLease(
  { lease, deployment, namespace, atMs }: InstallFacts,
  args: readonly string[],
): Finding[] {
  if (!("value" in deployment && args.some((arg) => arg.startsWith("--lease")))) return [];
  const subject = `${namespace}/lease/${NAMES.lease}`;
  if ("absent" in lease)
    return [
      {
        ...{ code: "lease_missing", subject },
        message: `the controllers' Lease is not there, and they may not make one: ${UNLED}`,
        remedy: `have it made again: helm upgrade --install sallyport charts/sallyport -n ${namespace}`,
      },
    ];
  const found = known(lease);
  const since = found && unledSince(found, atMs);
  if (!since) return [];
  return [
    {
      ...{ code: "nobody_leads", subject },
      message: `${since}: ${UNLED}`,
      remedy: `the controllers log why they cannot hold it: kubectl logs deployment/${NAMES.deployment} -n ${namespace}`,
    },
  ];
}

const UNLED =
  "nobody leads, so no certificate is renewed, no webhook set to rights, no pod looked after";

function unledSince(lease: JsonObject, nowMs: number): string | undefined {
  const { holderIdentity, leaseDurationSeconds } = asObject(lease.spec);
  const isHeld = typeof holderIdentity === "string" && holderIdentity !== "";
  const atMs = changedAt(lease);
  const lastsMs = isHeld ? Number(leaseDurationSeconds ?? 0) * 1_000 : 0;
  if (atMs === undefined || nowMs - atMs <= lastsMs + MARGIN_MS) return undefined;
  const seconds = Math.round((nowMs - atMs) / 1_000);
  return isHeld
    ? `${holderIdentity} holds the Lease, but renewed it last ${seconds} s ago`
    : `no controller has held the Lease for ${seconds} s`;
}

/**
 * By the API server's clock, which says when a manager last wrote the time of renewal (meta/v1, ManagedFieldsEntry); that time
 * itself is by the holder's clock, and is taken where nothing else is told.
 */
function changedAt(lease: JsonObject): number | undefined {
  const metadata = asObject(lease.metadata);
  const times = objects(metadata.managedFields).flatMap((entry) => {
    const spec = asObject(asObject(entry.fieldsV1)["f:spec"]);
    return Object.hasOwn(spec, "f:renewTime") ? (timeOf(entry.time) ?? []) : [];
  });
  if (times.length > 0) return Math.max(...times);
  return timeOf(asObject(lease.spec).renewTime) ?? timeOf(metadata.creationTimestamp);
}
