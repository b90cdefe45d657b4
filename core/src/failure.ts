import type { Attempt } from "./decision.ts";
import { type Explanation, formatEndpoint, formatSubject } from "./explanation.ts";
import { type FailReason, REASONS } from "./reasons.ts";

/** What is known of a failure. */
export interface Failure {
  readonly reason: FailReason;
  /** The address that failed last; absent where none was dialled. */
  readonly dialled?: string | undefined;
  /** What the app's name stands for, where that is what was dialled and verified. */
  readonly externalName?: string | undefined;
  /** One clause, where there is more to say than the reason does. */
  readonly detail?: string | undefined;
  /** The system's own word for it: `ECONNREFUSED`. */
  readonly error?: string | undefined;
}

/** Of what was permitted and still came to nothing: at which step, and what could be done. No rule helps there. */
export function explainFailure(attempt: Attempt, failure: Failure): Explanation {
  const { reason, dialled, externalName, detail, error } = failure;
  const { name } = attempt.seen ?? {};
  const destination = formatEndpoint(dialled ?? attempt.address, attempt.port);
  const { step, advice } = STEPS[reason];
  const why = detail ?? (error === undefined ? REASONS[reason] : `${REASONS[reason]} (${error})`);
  return {
    reason,
    message: `${formatSubject(destination, name, externalName)} is permitted, but ${step}: ${why}`,
    destination,
    ...(name !== undefined && { name }),
    ...(externalName !== undefined && { externalName }),
    advice: advice(externalName ?? name, attempt.port),
  };
}

interface Step {
  /** Which hop it was. */
  readonly step: string;
  readonly advice: (name: string | undefined, port: number) => string;
}

const CONNECT = "the connection to it failed";
const TLS = "the sidecar could not speak TLS with it";
const RESPONSE = "its response could not be used";

const STEPS: Readonly<Record<FailReason, Step>> = {
  "failed.dns": {
    step: "its name could not be resolved",
    advice: (name) =>
      `see that ${name ?? "the name"} exists, and that the sidecar's resolvers answer for it`,
  },
  "failed.connect_refused": {
    step: CONNECT,
    advice: (_, port) => `see that the destination runs, and listens on port ${port}`,
  },
  "failed.connect_timeout": {
    step: CONNECT,
    advice: () =>
      "see that the destination runs, and that no firewall on the way, nor a NetworkPolicy, drops what goes there",
  },
  "failed.unreachable": {
    step: CONNECT,
    advice: () =>
      "see the node's routes, and the NetworkPolicies and firewalls between the pod and the destination",
  },
  "failed.reset": {
    step: CONNECT,
    advice: () => "see what at the destination, or on the way, closes connections like this one",
  },
  "failed.tls_verify": {
    step: "its certificate was not accepted",
    advice: (name) =>
      `the destination needs a certificate for ${name ?? "the name"} by an issuer whom the sidecar trusts; a private one is given by the pod's annotation sallyport.dev/ca-bundle, and no check can be left out`,
  },
  "failed.tls": {
    step: TLS,
    advice: (_, port) =>
      `see that the destination speaks TLS 1.2 or newer on port ${port}; where it speaks plain HTTP, a rule says protocol http`,
  },
  "failed.response": {
    step: RESPONSE,
    advice: () => "see what the destination sends, and whether it ends before it is complete",
  },
  "failed.response_timeout": {
    step: RESPONSE,
    advice: () =>
      "see what keeps the destination from answering; whether the request took effect there is not known",
  },
  "failed.internal": {
    step: "the sidecar itself could not serve it",
    advice: () => "see the sidecar's log, which has the error",
  },
};
