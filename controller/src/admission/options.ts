import { VERSION } from "@sallyport/core/version";
import { InitConfig } from "@sallyport/init/contract";
import { ProxyConfig } from "@sallyport/proxy/contract";
import * as z from "zod";
import { parseQuantity, type Resource } from "./quantity.ts";

const Image = z
  .string()
  .regex(/^\S+$/, "expected an image, for example registry.example/proxy:1.0");

const quantity = (resource: Resource) =>
  z.string().superRefine((text, context) => {
    const parsed = parseQuantity(resource, text);
    if (parsed instanceof Error)
      context.addIssue({ code: "custom", message: `"${text}": ${parsed.message}` });
  });

const Cpu = quantity("cpu");
const Memory = quantity("memory");

/** What a sidecar is promised and what it may use; both are always set, for both resources. */
const Resources = z
  .strictObject({
    requests: z
      .strictObject({ cpu: Cpu.default("10m"), memory: Memory.default("64Mi") })
      .prefault({}),
    limits: z.strictObject({ cpu: Cpu.default("2"), memory: Memory.default("256Mi") }).prefault({}),
  })
  .superRefine(({ requests, limits }, context) => {
    for (const resource of ["cpu", "memory"] as const) {
      const request = parseQuantity(resource, requests[resource]);
      const limit = parseQuantity(resource, limits[resource]);
      if (typeof request === "bigint" && typeof limit === "bigint" && request > limit)
        context.addIssue({
          code: "custom",
          path: ["requests", resource],
          message: `${requests[resource]} is more than the limit, ${limits[resource]}`,
        });
    }
  });

/** What an installation decides about injection; what a pod may change of it is in its annotations. */
export const InjectionOptions = z.strictObject({
  images: z
    .strictObject({
      init: Image.default(`sallyport/init:${VERSION}`),
      proxy: Image.default(`sallyport/proxy:${VERSION}`),
      pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
    })
    .prefault({}),
  /** `native`: an init container with restartPolicy Always (Kubernetes 1.29 and later); `ordinary`: the first container. */
  sidecar: z.enum(["native", "ordinary"]).default("native"),
  /** Absent: drawn for each pod. A fixed one is known to everybody who builds an image (docs/adr/003-proxy-uid.md). */
  proxyUid: InitConfig.shape.proxyUid.optional(),
  proxyGid: InitConfig.shape.proxyGid.optional(),
  /** The DNS servers that pods are given. */
  resolvers: InitConfig.shape.resolvers,
  /** Pod and Service ranges. */
  clusterCidrs: InitConfig.shape.clusterCidrs,
  /** Absent: as the policy's mode says, `allow` in audit and `reject` in enforce. */
  outsideUdp: InitConfig.shape.outsideUdp.unwrap().optional(),
  policy: ProxyConfig.shape.policy,
  accessLog: ProxyConfig.shape.accessLog,
  logLevel: ProxyConfig.shape.logLevel,
  resources: Resources.prefault({}),
  /** What happens to a pod that could walk past its sidecar; one that cannot work beside it is always rejected. */
  dangerousPods: z.enum(["reject", "warn"]).default("reject"),
});
export type InjectionOptions = z.output<typeof InjectionOptions>;
export type InjectionOptionsInput = z.input<typeof InjectionOptions>;
