import * as z from "zod";
import type { JsonObject, JsonValue } from "./admission.ts";
import { OUR_CONTAINERS } from "./names.ts";

/**
 * The part of a v1/Pod that admission reads. `null` means absent, as it does to the API server; unknown fields pass, and
 * the object itself is never replaced by what was decoded.
 */
const absent = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);
const list = <T extends z.ZodType>(schema: T) =>
  z
    .array(schema)
    .nullish()
    .transform((value) => value ?? []);
const text = absent(z.string());
const flag = absent(z.boolean());
const id = absent(z.int());
/** Quantities may be written as numbers. */
const amount = absent(z.union([z.string(), z.number()]));
const amounts = absent(z.object({ cpu: amount, memory: amount }));

const ContainerView = z.object({
  name: z.string(),
  securityContext: absent(
    z.object({
      privileged: flag,
      runAsUser: id,
      runAsGroup: id,
      runAsNonRoot: flag,
      capabilities: absent(z.object({ add: list(z.string()), drop: list(z.string()) })),
    }),
  ),
  ports: list(z.object({ name: text, containerPort: id, protocol: text })),
  volumeMounts: list(z.object({ name: text })),
  volumeDevices: list(z.object({ name: text })),
  /** Of ephemeral containers alone. */
  targetContainerName: text,
});
export type ContainerView = z.output<typeof ContainerView>;

export const PodView = z.object({
  metadata: absent(
    z.object({
      annotations: absent(z.record(z.string(), z.string())),
      labels: absent(z.record(z.string(), z.string())),
      ownerReferences: list(z.object({ kind: text })),
    }),
  ),
  spec: z.object({
    hostNetwork: flag,
    hostPID: flag,
    shareProcessNamespace: flag,
    restartPolicy: text,
    terminationGracePeriodSeconds: id,
    os: absent(z.object({ name: text })),
    resources: absent(z.object({ requests: amounts, limits: amounts })),
    nodeSelector: absent(z.record(z.string(), z.string())),
    dnsConfig: absent(z.object({ nameservers: list(z.string()) })),
    securityContext: absent(
      z.object({
        runAsUser: id,
        runAsGroup: id,
        runAsNonRoot: flag,
        fsGroup: id,
        supplementalGroups: list(z.int()),
        sysctls: list(z.object({ name: text, value: text })),
        appArmorProfile: absent(z.object({ type: text })),
      }),
    ),
    containers: list(ContainerView),
    initContainers: list(ContainerView),
    ephemeralContainers: list(ContainerView),
    volumes: list(z.object({ name: text })),
  }),
});
export type PodView = z.output<typeof PodView>;

/** No Pod of the API is nested a fifth as deep; what walks the object below may do so by recursion. */
const MAX_DEPTH = 100;

/** What admission reads of a pod, or what is wrong with it, each with its path. */
export function readPod(pod: JsonObject): PodView | readonly string[] {
  if (isDeeperThan(MAX_DEPTH, pod)) return [`it is nested more than ${MAX_DEPTH} levels deep`];
  const decoded = PodView.safeParse(pod);
  if (decoded.success) return decoded.data;
  return decoded.error.issues.map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`);
}

/** A user's container and where it stands in the pod as it was received. */
export interface PlacedContainer {
  readonly path: string;
  readonly container: ContainerView;
}

/** The user's containers of every kind. What stands under our names is replaced, and judged as little as it counts. */
export function containersOf({ spec }: PodView): PlacedContainer[] {
  const placed = (kind: "initContainers" | "containers" | "ephemeralContainers") =>
    spec[kind].map((container, i) => ({ path: `spec.${kind}[${i}]`, container }));
  const notOurs = ({ container }: PlacedContainer) => !OUR_CONTAINERS.includes(container.name);
  return [
    ...placed("initContainers").filter(notOurs),
    ...placed("containers").filter(notOurs),
    ...placed("ephemeralContainers"),
  ];
}

function isDeeperThan(limit: number, value: JsonValue): boolean {
  let level: JsonValue[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? (Object.values(item) as JsonValue[]) : [],
    );
  }
  return false;
}
