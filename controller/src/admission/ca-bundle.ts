import type { JsonObject } from "./admission.ts";
import { CA_BUNDLE_VOLUME } from "./names.ts";

/** Authorities that a pod's sidecar trusts beside the well-known ones: a key of a ConfigMap of the pod's namespace. */
export interface CaBundle {
  readonly configMap: string;
  readonly key: string;
}

const DEFAULT_KEY = "ca.crt";
const EXPECTED = `expected the name of a ConfigMap, or NAME/KEY (${DEFAULT_KEY} unless given)`;

/** A DNS subdomain (RFC 1123 §2.1), as the API server demands it of a ConfigMap's name. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** IsConfigMapKey of apimachinery's validation: a file's name, and neither `.` nor what begins with `..`. */
const KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;

/** `NAME` or `NAME/KEY`. */
export function parseCaBundle(text: string): CaBundle | Error {
  const slash = text.indexOf("/");
  const configMap = slash < 0 ? text : text.slice(0, slash);
  const key = slash < 0 ? DEFAULT_KEY : text.slice(slash + 1);
  if (!NAME.test(configMap)) return new Error(`no ConfigMap can have that name; ${EXPECTED}`);
  return KEY.test(key)
    ? { configMap, key }
    : new Error(`no ConfigMap can have that key; ${EXPECTED}`);
}

/** Where the image has its program, and nothing of the app's is mounted. */
const MOUNT_PATH = "/opt/sallyport/ca-bundle";

/** The file that the sidecar reads. The kubelet swaps it when the ConfigMap changes, and the sidecar reads it again. */
export function caBundleFile({ key }: CaBundle): string {
  return `${MOUNT_PATH}/${key}`;
}

/** `defaultMode` is said because the API server would add it. Without the ConfigMap the pod does not start. */
export function caBundleVolume({ configMap, key }: CaBundle): JsonObject {
  return {
    name: CA_BUNDLE_VOLUME,
    configMap: {
      name: configMap,
      items: [{ key, path: key }],
      defaultMode: 0o644,
      optional: false,
    },
  };
}

export const CA_BUNDLE_MOUNT: JsonObject = {
  name: CA_BUNDLE_VOLUME,
  mountPath: MOUNT_PATH,
  readOnly: true,
};
