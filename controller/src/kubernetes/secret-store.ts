import type { V1Secret } from "@kubernetes/client-node";
import { attempt, hasStatus } from "./api-error.ts";
import {
  type CertificateContent,
  isOurKey,
  readContent,
  type SharedCertificate,
  writeContent,
  writeSealKey,
} from "./certificate-content.ts";
import type { KubernetesApi } from "./client.ts";

export interface SecretStore {
  /** `Secret NAMESPACE/NAME` */
  readonly what: string;
  read(): Promise<StoredCertificate>;
  /** Fails where somebody else has written since it was read. */
  write(stored: StoredCertificate, shared: SharedCertificate): Promise<void>;
  /** The same, of the key alone: whatever else it holds stays. */
  writeSealKey(stored: StoredCertificate, sealKey: Uint8Array): Promise<void>;
  /** The same, of any other keys of its `data`. */
  writeBeside(stored: StoredCertificate, data: Readonly<Record<string, string>>): Promise<void>;
}

export interface StoredCertificate {
  readonly content: CertificateContent;
  /** Absent: there is no such object. */
  readonly secret?: V1Secret;
}

export function secretStore(api: KubernetesApi, namespace: string, name: string): SecretStore {
  const what = `Secret ${namespace}/${name}`;
  const put = async (secret: V1Secret | undefined, data: Record<string, string>) => {
    if (!secret) {
      const body = { metadata: { name }, type: "Opaque", data };
      await attempt("create", what, () => api.core.createNamespacedSecret({ namespace, body }));
      return;
    }
    // It carries the resourceVersion that was read: what somebody else writes meanwhile is not lost.
    const body = { ...secret, data };
    await attempt("update", what, () =>
      api.core.replaceNamespacedSecret({ namespace, name, body }),
    );
  };
  return {
    what,
    read: async () => {
      try {
        const secret = await attempt("get", what, () =>
          api.core.readNamespacedSecret({ namespace, name }),
        );
        return { content: readContent(secret.data), secret };
      } catch (error) {
        if (hasStatus(error, 404)) return { content: { kind: "empty" } };
        throw error;
      }
    },
    write: ({ secret }, shared) => {
      const others = Object.entries(secret?.data ?? {}).filter(([key]) => !isOurKey(key));
      return put(secret, { ...Object.fromEntries(others), ...writeContent(shared) });
    },
    writeSealKey: ({ secret }, sealKey) =>
      put(secret, { ...secret?.data, ...writeSealKey(sealKey) }),
    writeBeside: ({ secret }, data) => put(secret, { ...secret?.data, ...data }),
  };
}
