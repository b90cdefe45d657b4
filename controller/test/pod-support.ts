import type {
  Admission,
  JsonObject,
  PatchOperation,
} from "@sallyport/controller/admission/admission";
import type { PolicyControl } from "@sallyport/controller/admission/control";
import type { DrawIdentity } from "@sallyport/controller/admission/identity";
import {
  InjectionOptions,
  type InjectionOptionsInput,
} from "@sallyport/controller/admission/options";
import { admitPod, type PodRequest } from "@sallyport/controller/admission/pod";
import { applyPatch, type Operation } from "rfc6902";

export const NOW = Date.parse("2026-01-01T00:00:00Z");
export const REQUEST: PodRequest = { namespace: "shop", injection: "all", now: NOW };
export const OPTIONS = optionsOf({});

/** Of an installation on a cluster. */
export const CONTROL: PolicyControl = {
  host: "sallyport.sallyport-system.svc.cluster.local",
  port: 8_444,
  ca: "-----BEGIN CERTIFICATE-----\nof the test's\n-----END CERTIFICATE-----\n",
};

export function optionsOf(input: InjectionOptionsInput): InjectionOptions {
  return InjectionOptions.parse(input);
}

/** Chance that repeats itself: the Park–Miller generator. */
export function seededDraw(seed = 1): DrawIdentity {
  let state = seed;
  return {
    random: (below) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    },
    sealKey: new TextEncoder().encode("a key of the test's"),
  };
}

export function admit(
  pod: JsonObject,
  request: Partial<PodRequest> = {},
  options: InjectionOptionsInput = {},
  draw = seededDraw(),
): Admission {
  return admitPod(pod, { ...REQUEST, ...request }, optionsOf(options), draw);
}

/** The pod after its admission, the patch applied by a library that did not make it. */
export function admitted(...args: Parameters<typeof admit>): JsonObject {
  const answer = admit(...args);
  if (!answer.allowed) throw new Error(answer.message);
  return patched(args[0], answer.patch);
}

export function patched(pod: JsonObject, patch: readonly PatchOperation[]): JsonObject {
  const copy = structuredClone(pod);
  const failure = applyPatch(copy, structuredClone(patch) as Operation[]).find(Boolean);
  if (failure) throw failure;
  return copy;
}

// biome-ignore lint/suspicious/noExplicitAny: tests reach into pods of any shape
export type Any = any;

/** A pod whose only container gives no cause for a warning. */
export function podOf(spec: Any = {}, metadata: Any = {}): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "web-", ...metadata },
    spec: { containers: [containerOf()], ...spec },
  };
}

export function containerOf(fields: Any = {}): Any {
  return { name: "app", image: "shop/web:1.0", securityContext: { runAsNonRoot: true }, ...fields };
}

export function containersNamed(pod: JsonObject, name: string): Any[] {
  const { initContainers, containers } = pod.spec as Any;
  return [...(initContainers ?? []), ...(containers ?? [])].filter((one) => one.name === name);
}
