import * as z from "zod";

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

const Capabilities = z.looseObject({ add: list(z.string()), drop: list(z.string()) });

const SecurityContext = z.looseObject({
  privileged: absent(z.boolean()),
  runAsUser: absent(z.int()),
  runAsGroup: absent(z.int()),
  runAsNonRoot: absent(z.boolean()),
  capabilities: absent(Capabilities),
});

const ContainerView = z.looseObject({
  name: z.string(),
  restartPolicy: absent(z.string()),
  securityContext: absent(SecurityContext),
  ports: list(
    z.looseObject({
      name: absent(z.string()),
      containerPort: absent(z.int()),
      hostPort: absent(z.int()),
      protocol: absent(z.string()),
    }),
  ),
  volumeMounts: list(z.looseObject({ name: absent(z.string()) })),
});
export type ContainerView = z.output<typeof ContainerView>;

export const PodView = z.looseObject({
  metadata: absent(
    z.looseObject({
      name: absent(z.string()),
      generateName: absent(z.string()),
      annotations: absent(z.record(z.string(), z.string())),
      ownerReferences: list(z.looseObject({ kind: absent(z.string()) })),
    }),
  ),
  spec: z.looseObject({
    hostNetwork: absent(z.boolean()),
    hostPID: absent(z.boolean()),
    shareProcessNamespace: absent(z.boolean()),
    terminationGracePeriodSeconds: absent(z.int()),
    os: absent(z.looseObject({ name: absent(z.string()) })),
    nodeSelector: absent(z.record(z.string(), z.string())),
    securityContext: absent(
      z.looseObject({
        runAsUser: absent(z.int()),
        runAsGroup: absent(z.int()),
        runAsNonRoot: absent(z.boolean()),
        fsGroup: absent(z.int()),
        supplementalGroups: list(z.int()),
        sysctls: list(z.looseObject({ name: absent(z.string()), value: absent(z.string()) })),
      }),
    ),
    containers: list(ContainerView),
    initContainers: list(ContainerView),
    ephemeralContainers: list(ContainerView),
    volumes: list(z.looseObject({ name: absent(z.string()) })),
  }),
});
export type PodView = z.output<typeof PodView>;

/** Every container of a pod with the path of its list entry, in the order of the API's lists. */
export function containersOf({
  spec,
}: PodView): { readonly path: string; readonly container: ContainerView }[] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((kind) =>
    spec[kind].map((container, i) => ({ path: `spec.${kind}[${i}]`, container })),
  );
}
