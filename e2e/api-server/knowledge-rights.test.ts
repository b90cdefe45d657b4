import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { InjectionOptions } from "@sallyport/controller/admission/options";
import { watchKnowledge } from "@sallyport/controller/rules/watch-knowledge";
import { lacking } from "../cluster/given.ts";
import { startCheckBed } from "./check-bed.ts";
import { until } from "./until.ts";

const CRDS = join(import.meta.dirname, "../../manifests/crds.yaml");

test("what the chart gives the controllers is enough to know everything, and to ask for one pod", {
  skip: lacking,
}, async () => {
  await using bed = await startCheckBed();
  await bed.kubectl(["apply", "--server-side", "-f", CRDS]);
  const end = new AbortController();
  try {
    const lines: string[] = [];
    const knowledge = watchKnowledge(
      {
        api: await bed.as("sallyport-controller"),
        injection: InjectionOptions.parse({ resolvers: ["10.96.0.10"] }),
        log: (level, message) => level !== "debug" && lines.push(message),
      },
      end.signal,
    );
    await until(
      "it is ready",
      async () => knowledge.notReady,
      (why) => why === undefined,
    );
    await bed.namespace("asked");
    const pod = { namespace: "asked", name: "nobody", uid: "none" };
    assert.deepEqual(await knowledge.catchUp(pod, { services: "1" }), { rewound: false });
    assert.equal(knowledge.of(pod), undefined);
    assert.deepEqual(lines, []);
  } finally {
    end.abort();
  }
});
