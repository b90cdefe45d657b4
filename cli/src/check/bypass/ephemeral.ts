import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import type { PodPlace } from "../../fleet/sidecar-page.ts";
import { NoAnswer } from "../../kubernetes/access.ts";
import type { Rest } from "../../kubernetes/rest.ts";
import type { RunNode } from "./self-test.ts";
import type { Subject } from "./subject.ts";

/** For the image, should it not be on the node any more, and for the probe. */
const PATIENCE_MS = 120_000;
const POLL_MS = 500;

/** Waits that do not end by themselves. */
const HOPELESS = /^(ErrImage|ImagePullBackOff|InvalidImageName|CreateContainer)/;

/**
 * Runs Node in a pod that runs: an ephemeral container of the sidecar's image, with the security context of the container
 * whose part it plays. It stays in the pod's spec when it has ended, for nobody can take one out.
 */
export function inEphemeralContainer(
  rest: Rest,
  { namespace, name }: PodPlace,
  { image, node, security }: Subject,
  container: string,
): RunNode {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  return async (args) => {
    const ephemeralContainers = [
      {
        ...{ name: container, image, imagePullPolicy: "IfNotPresent" },
        ...{ command: [node, ...args], securityContext: security },
        ...{ terminationMessagePolicy: "FallbackToLogsOnError" },
      },
    ];
    await rest.patch(`${path}/ephemeralcontainers`, { spec: { ephemeralContainers } });
    const { exitCode, message, reason } = await ended(rest, path, container);
    if (exitCode !== 0)
      throw new NoAnswer(
        `pod ${name}: the probe ended with ${exitCode}: ${[reason, message].filter(Boolean).join(": ")}`,
      );
    return await rest.get(`${path}/log`, { container });
  };
}

async function ended(rest: Rest, path: string, container: string): Promise<JsonObject> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const { status } = await rest.get(path);
    const its = objects(asObject(status).ephemeralContainerStatuses).find(
      ({ name }) => name === container,
    );
    const { waiting, terminated } = asObject(its?.state);
    if (terminated !== undefined) return asObject(terminated);
    const { reason, message } = asObject(waiting);
    if (HOPELESS.test(String(reason)))
      throw new NoAnswer(`the probe cannot be started: ${reason}: ${message}`);
    if (Date.now() > until)
      throw new NoAnswer(
        `the probe has not ended within ${PATIENCE_MS / 1_000} s${reason === undefined ? "" : ` (${reason})`}`,
      );
    await sleep(POLL_MS);
  }
}
