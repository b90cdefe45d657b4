import { STATUS_CODES } from "node:http";
import { DELIVERY_PATH, DELIVERY_PROTOCOL } from "@sallyport/core/delivery";

interface Refusal {
  readonly status: number;
  readonly text: string;
  /** When to come again: between so and twice so many seconds. */
  readonly retrySeconds?: number;
}

/** Why nobody is given a stream; what a token's review says, and what is not known yet, is said beside it. */
export const REFUSALS = {
  not_here: { status: 404, text: `nothing is here but GET ${DELIVERY_PATH}` },
  no_upgrade: {
    status: 426,
    text: `expected GET ${DELIVERY_PATH} with Upgrade: ${DELIVERY_PROTOCOL}`,
  },
  no_token: {
    status: 401,
    text: "expected Authorization: Bearer and the token of the sidecar's own volume",
  },
  bad_token: { status: 401, text: "this token is not accepted" },
  not_a_pods: { status: 403, text: "this token is no pod's" },
  no_such_pod: {
    status: 403,
    text: "the API server knows no running pod of this name and uid that has a sidecar",
  },
  not_ready: { status: 503, text: "this controller does not know the rules yet", retrySeconds: 1 },
  api_server_away: {
    status: 503,
    text: "the API server could not say whose token this is",
    retrySeconds: 1,
  },
  full: {
    status: 503,
    text: "this controller has as many streams as it can hold",
    retrySeconds: 5,
  },
  leaving: { status: 503, text: "this controller is about to end", retrySeconds: 1 },
} as const satisfies Record<string, Refusal>;
export type RefusalCode = keyof typeof REFUSALS;

/** Connections that are closed before anything is said, beside those above. */
export const DROPS = ["too_many_strangers", "too_many_of_address", "too_slow"] as const;
export type DropCode = (typeof DROPS)[number];

/** The whole answer, after which the connection ends. `random` is from 0 to 1: those who were refused at once come apart. */
export function refusalResponse(code: RefusalCode, more?: string, random = Math.random()): string {
  const { status, text, retrySeconds }: Refusal = REFUSALS[code];
  const body = Buffer.from(`${more ?? text}\n`);
  const fields = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${body.length}`,
    "connection: close",
    ...(status === 401 ? ["www-authenticate: Bearer"] : []),
    ...(status === 426 ? [`upgrade: ${DELIVERY_PROTOCOL}`] : []),
    ...(retrySeconds ? [`retry-after: ${Math.round(retrySeconds * (1 + random))}`] : []),
  ];
  return `${fields.join("\r\n")}\r\n\r\n${body.toString()}`;
}
