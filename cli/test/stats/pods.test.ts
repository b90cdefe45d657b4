import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rest } from "@sallyport/cli/kubernetes/rest";
import { nameOf, onePodOf, podsToAsk } from "@sallyport/cli/stats/pods";
import { parseTarget } from "@sallyport/cli/stats/target";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { podOf, restOf } from "../dashboard/bed.ts";

const starting = { ...podOf("shop", "web-1"), status: { phase: "Pending" } };

/** An API server with a Deployment of these pods. */
function restWith(...pods: readonly JsonObject[]): Rest {
  const selector = { matchLabels: { app: "web" } };
  const get = async (path: string) => {
    if (path.endsWith("/deployments/web")) return { spec: { selector } };
    throw new Error(path);
  };
  return { ...restOf({ "/api/v1/namespaces/shop/pods": pods }), get };
}
const web = parseTarget(["deployment/web"]);

test("of a workload's pods one is taken whose sidecar runs, and only where none does another", async () => {
  const found = await onePodOf(restWith(starting, podOf("shop", "web-2")), "shop", web);
  assert.deepEqual([nameOf(found.pod), found.of], ["web-2", 2]);
  const none = await onePodOf(restWith(starting), "shop", web);
  assert.deepEqual([nameOf(none.pod), none.of], ["web-1", 1]);
});

test("of several pods all are asked only where that is said", async () => {
  const rest = restWith(podOf("shop", "web-1"), podOf("shop", "web-2"));
  const asked = (all: boolean) => podsToAsk(rest, "shop", web, { words: ["deployment/web"], all });
  assert.deepEqual((await asked(true)).map(nameOf), ["web-1", "web-2"]);
  await assert.rejects(
    asked(false),
    /deployment\/web has 2 pods: give --all, or one of web-1, web-2/,
  );
});
