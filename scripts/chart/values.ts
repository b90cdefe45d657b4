import { InjectionOptions } from "@sallyport/controller/admission/options";
import { LEVELS } from "@sallyport/controller/log";
import * as z from "zod";

const text = z.string();
const Texts = z.record(text, text);
/** What Kubernetes itself defines and checks. */
const KubernetesObject = z.record(text, z.unknown());
const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Quantity = z.union([z.string(), z.number()]);
const Resources = z.strictObject({ cpu: Quantity.optional(), memory: Quantity.optional() });

const { images: _, policy, ...injected } = InjectionOptions.shape;
/** The mode is `defaultMode`, and a pod brings its own name and labels. */
const { mode: __, pod: ___, ...policyParts } = policy.unwrap().shape;

/** What may be set in charts/sallyport: values.schema.json is made of it, by which Helm refuses everything else. */
export const ChartValues = z.strictObject({
  image: z.strictObject({
    registry: z.string().regex(/^[^\s/]+(\/[^\s/]+)*$/),
    tag: z.string().regex(/^(\w[\w.-]{0,127})?$/),
    pullPolicy: InjectionOptions.shape.images.unwrap().shape.pullPolicy.unwrap(),
    digests: z.strictObject({
      proxy: Digest.optional(),
      init: Digest.optional(),
      controller: Digest.optional(),
    }),
  }),
  imagePullSecrets: z.array(text.min(1)),
  defaultMode: z.enum(["audit", "enforce"]),
  injection: z
    .strictObject({ ...injected, policy: z.strictObject(policyParts).prefault({}) })
    .partial(),
  clusterDomain: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
  crds: z.strictObject({ install: z.boolean() }),
  replicas: z.int().min(1).max(100),
  logLevel: z.enum(LEVELS),
  resources: z.strictObject({ requests: Resources.optional(), limits: Resources.optional() }),
  webhooks: z.strictObject({ timeoutSeconds: z.int().min(1).max(30) }),
  certificate: z.strictObject({
    source: z.enum(["generated", "certManager", "files"]),
    life: z.string().regex(/^\d{1,6}[smhd]$/),
    secretName: text,
    caBundle: text,
  }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    apiServerPorts: z.array(z.int().min(1).max(65_535)).min(1),
  }),
  priorityClassName: text,
  nodeSelector: Texts,
  tolerations: z.array(KubernetesObject),
  affinity: KubernetesObject,
  podAnnotations: Texts,
});

/** Helm merges what a user gives with values.yaml first: nothing is absent, and defaults said here would be a second truth. */
export function valuesSchema(): object {
  const schema = z.toJSONSchema(ChartValues, {
    io: "input",
    target: "draft-7",
    override: ({ jsonSchema }) => {
      delete jsonSchema.default;
    },
  }) as { properties: Record<string, object> };
  // Helm's own, for charts that include this one.
  return { ...schema, properties: { ...schema.properties, global: { type: "object" } } };
}
