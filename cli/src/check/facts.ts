import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { Read } from "../kubernetes/read.ts";

/** What was asked of the cluster about the installation. Objects are as the API server stores them. */
export interface InstallFacts {
  /** Where it is installed. */
  readonly namespace: string;
  readonly kubernetes: Read<JsonObject>;
  readonly deployment: Read<JsonObject>;
  readonly service: Read<JsonObject>;
  readonly endpointSlices: Read<readonly JsonObject[]>;
  readonly configMap: Read<JsonObject>;
  /** Of the serving certificate: the Deployment says its name. */
  readonly secretName: string;
  readonly secret: Read<JsonObject>;
  readonly lease: Read<JsonObject>;
  readonly mutating: Read<JsonObject>;
  readonly validating: Read<JsonObject>;
  /** In the order of CRDS. */
  readonly crds: readonly Read<JsonObject>[];
  /** When these were read, by the API server's clock. */
  readonly atMs: number;
}

/** The chart's names. */
export const NAMES = {
  deployment: "sallyport-controller",
  service: "sallyport",
  configMap: "sallyport",
  configKey: "config.json",
  secret: "sallyport-certificate", // of the key that seals, and of the certificate where the controllers make that themselves
  lease: "sallyport-controller",
  replicas: "sallyport-replicas",
  webhooks: "sallyport",
} as const;

/** The kinds in which policy is written. */
export const CRDS = ["egressrules.sallyport.dev", "egressboundaries.sallyport.dev"] as const;
