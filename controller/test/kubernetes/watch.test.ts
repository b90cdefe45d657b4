import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/kubernetes/client.ts";
import { watchForever } from "../../src/kubernetes/watch.ts";

test("watches that follow one another leave nothing on the signal that ends them all, which still ends the last", async () => {
  await using made = new AsyncDisposableStack();
  const end = new AbortController();
  made.defer(() => end.abort());
  const listeners = () => getEventListeners(end.signal, "abort").length;
  const during: number[] = [];
  const third = Promise.withResolvers<void>();
  // Each watch is ended at once by the server, but for the third.
  const server = createServer((_request, response) => {
    const watches = during.push(listeners());
    response.setHeader("content-type", "application/json");
    const bookmark = {
      type: "BOOKMARK",
      object: { kind: "Namespace", metadata: { resourceVersion: String(watches) } },
    };
    response.write(`${JSON.stringify(bookmark)}\n`);
    if (watches < 3) response.end();
    else third.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  made.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = mkdtempSync(join(tmpdir(), "sallyport-watch-"));
  made.defer(() => rmSync(folder, { recursive: true }));

  const watching = watchForever(
    {
      api: connect(kubeconfigFor((server.address() as AddressInfo).port, folder)),
      ...{ what: "namespaces", path: "/api/v1/namespaces" },
      log: (_level, message) => third.reject(new Error(message)),
      onNews: () => {},
    },
    end.signal,
  );
  await third.promise;
  assert.deepEqual(during, [1, 1, 1], "listeners while the first, second and third is answered");
  end.abort();
  await watching;
  assert.equal(listeners(), 0);
});

function kubeconfigFor(port: number, folder: string): string {
  const file = join(folder, "kubeconfig");
  // Without TLS the client is to be told that this is meant.
  const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
  writeFileSync(
    file,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
      ...{ clusters: [{ name: "it", cluster }], users: [{ name: "it", user: {} }] },
      contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    }),
  );
  return file;
}
