import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AuthenticationV1Api, type CoreV1Api } from "@kubernetes/client-node";
import { policyCertificate } from "@sallyport/controller/delivery/policy-certificate";
import { servePolicy } from "@sallyport/controller/delivery/policy-server";
import { createReviewer } from "@sallyport/controller/delivery/reviewer";
import { newPolicyAuthority } from "@sallyport/controller/kubernetes/policy-authority";
import { tokenReviews } from "@sallyport/controller/kubernetes/token-reviews";
import type { PodRef, Snapshots } from "@sallyport/controller/rules/snapshots";
import { DELIVERY_AUDIENCE } from "@sallyport/core/delivery";
import { SidecarClient } from "../../controller/test/delivery/sidecar-client.ts";
import { clientOf } from "../cluster/namespaces.ts";
import type { KnowledgeBed } from "./knowledge-bed.ts";

/** A controller's stream server, which asks the bed's API server by the way that the bed can close. */
export async function serveBed(bed: KnowledgeBed, snapshots: Snapshots = bed.knowledge) {
  const authority = await newPolicyAuthority(Date.now());
  const config = clientOf(bed.behind.kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster) Object.assign(cluster, { server: `https://127.0.0.1:${bed.behind.port}` });
  const logged: string[] = [];
  const server = await servePolicy({
    ...{ port: 0, host: "127.0.0.1", snapshots },
    certificate: policyCertificate(() => authority, ["127.0.0.1"]),
    reviewer: createReviewer(tokenReviews(config.makeApiClient(AuthenticationV1Api))),
    log: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
  });
  return {
    ...{ server, logged },
    ask: (token: string | undefined) =>
      SidecarClient.ask({ port: server.port, ca: authority.certificate }, token),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** As a kubelet is given it for a projected volume. */
export async function tokenFor(
  core: CoreV1Api,
  { namespace, name, uid }: PodRef,
  audience: string = DELIVERY_AUDIENCE,
): Promise<string> {
  return tokenOf(core, namespace, {
    audiences: [audience],
    boundObjectRef: { kind: "Pod", apiVersion: "v1", name, uid },
  });
}

/** One of the ServiceAccount alone. */
export const unboundToken = (core: CoreV1Api, namespace: string): Promise<string> =>
  tokenOf(core, namespace, { audiences: [DELIVERY_AUDIENCE] });

async function tokenOf(
  core: CoreV1Api,
  namespace: string,
  more: { audiences: string[]; boundObjectRef?: object },
) {
  const spec = { ...more, expirationSeconds: 3_600 };
  const made = await core.createNamespacedServiceAccountToken({
    ...{ namespace, name: "default", body: { spec } },
  });
  return made.status?.token ?? "";
}

/** The same token as the API server would have made it two hours ago: signed with its key. */
export function expired(token: string, kubeconfig: string): string {
  const [head = "", claims = ""] = token.split(".");
  const said = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
  const earlier = ["iat", "nbf", "exp"].map((claim) => [claim, said[claim] - 7_200]);
  const old = { ...said, ...Object.fromEntries(earlier) };
  const content = `${head}.${Buffer.from(JSON.stringify(old)).toString("base64url")}`;
  const key = createPrivateKey(readFileSync(join(dirname(kubeconfig), "sa.key")));
  return `${content}.${sign("sha256", Buffer.from(content), key).toString("base64url")}`;
}
