import type { JsonObject } from "@sallyport/controller/admission/admission";
import { INIT_CONTAINER, OUR_CONTAINERS } from "@sallyport/controller/admission/names";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import type { Subject } from "./subject.ts";
import type { Judged, Row } from "./verdict.ts";

/** What cannot be tried in a pod that runs, and its spec and its status tell. */
export function judgePod(
  pod: JsonObject,
  subject: Pick<Subject, "imageSaysAsWhom" | "init">,
): Row[] {
  return [
    // Somebody may be there, whom nobody has asked to be called.
    ...subject.init.excludeCidrs.map(
      (range): Row => ({
        ...{ way: "excluded_range", tried: `any protocol to ${range}: not tried` },
        verdict: "open_on_purpose",
        happened: `annotation sallyport.dev/exclude-outbound-cidrs: ${range}`,
      }),
    ),
    {
      ...{ way: "before_ready", tried: "to connect before the rules are there" },
      ...judgeOrder(pod),
    },
    {
      ...{ way: "image_user", tried: "to be the sidecar's user by an image's USER" },
      ...(subject.imageSaysAsWhom
        ? ({
            verdict: "untried",
            happened:
              "its image says as whom it runs, and another one could say the sidecar's: set runAsUser",
          } as const)
        : ({
            verdict: "held",
            happened: "its security context says as whom it runs, which no image overrides",
          } as const)),
    },
  ];
}

/** By the kubelet's clock, in whole seconds. Before the sidecar listens, what is redirected meets nobody. */
function judgeOrder(pod: JsonObject): Judged {
  const { initContainerStatuses, containerStatuses } = asObject(pod.status);
  const all = [...objects(initContainerStatuses), ...objects(containerStatuses)];
  const rules = all.find(({ name }) => name === INIT_CONTAINER);
  const { exitCode, finishedAt } = asObject(asObject(rules?.state).terminated);
  if (exitCode !== 0 || typeof finishedAt !== "string")
    return {
      verdict: "unknown",
      happened: `${INIT_CONTAINER} has not said that it wrote the rules`,
    };
  const begun = all
    .filter(({ name }) => !OUR_CONTAINERS.includes(String(name)))
    .flatMap(startsOf)
    .sort();
  const [first] = begun;
  if (first === undefined)
    return { verdict: "unknown", happened: "no other container has begun yet" };
  return first < finishedAt
    ? {
        verdict: "open",
        happened: `a container began at ${first}, the rules were there at ${finishedAt}`,
      }
    : {
        verdict: "held",
        happened: `the rules were there at ${finishedAt}, the first other container began at ${first}`,
      };
}

function startsOf(status: JsonObject): string[] {
  return [status.state, status.lastState]
    .flatMap((state) => Object.values(asObject(state)))
    .map((each) => asObject(each).startedAt)
    .filter((at) => typeof at === "string");
}
