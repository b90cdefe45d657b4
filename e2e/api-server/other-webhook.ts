import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { V1MutatingWebhook, V1Pod } from "@kubernetes/client-node";
import { madeCertificate } from "@sallyport/controller/certificate-source";

export type PatchOperation = {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
};

export interface OtherWebhook extends AsyncDisposable {
  /** For a registration: whom to call, and with what to verify it. */
  readonly clientConfig: V1MutatingWebhook["clientConfig"];
  /** How often it was called. */
  readonly calls: () => number;
}

/** A mutating webhook of somebody else's, which answers each pod with these changes. */
export async function startOtherWebhook(
  change: (pod: V1Pod) => readonly PatchOperation[],
): Promise<OtherWebhook> {
  const { current, ca = "" } = await madeCertificate(["127.0.0.1"], Date.now());
  let calls = 0;
  const server = createServer(
    { cert: current.certificate, key: current.key },
    async (request, response) => {
      calls += 1;
      const { apiVersion, kind, request: asked } = JSON.parse(await text(request));
      const patch = change(asked.object);
      response.setHeader("content-type", "application/json").end(
        JSON.stringify({
          ...{ apiVersion, kind },
          response: {
            ...{ uid: asked.uid, allowed: true },
            ...(patch.length > 0 && {
              patchType: "JSONPatch",
              patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
            }),
          },
        }),
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    clientConfig: {
      url: `https://127.0.0.1:${port}/`,
      caBundle: Buffer.from(ca).toString("base64"),
    },
    calls: () => calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
