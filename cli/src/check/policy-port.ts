import { ApiRefusal, type Rest } from "../kubernetes/rest.ts";
import { NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { TRY_AGAIN, unread } from "./unreadable.ts";

/** Whether the port answers from which sidecars are given their policy; undefined where nobody can tell. */
export interface PolicyPort {
  readonly answers: boolean | undefined;
  readonly findings: readonly Finding[];
}

/** What the API server itself says when it reaches nobody (apimachinery, util/proxy; kubernetes, registry/core/service). */
const REACHES_NOBODY = /no endpoints available|no service port|error trying to reach service/;

/** By the API server's way to a Service: whatever is answered there, is an answer. */
export async function tryPolicyPort(
  rest: Rest,
  install: string,
  args: readonly string[],
): Promise<PolicyPort> {
  if (!args.some((arg) => arg.startsWith("--policy-port")))
    return { answers: undefined, findings: [] };
  const subject = `${install}/service/${NAMES.service}`;
  try {
    await rest.get(`/api/v1/namespaces/${install}/services/https:${NAMES.service}:policy/proxy/`);
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    const { status, message } = error;
    if (status === 403 && /cannot get resource/.test(message))
      return {
        answers: undefined,
        findings: [
          {
            ...{ code: "not_permitted", subject },
            message: unread("ask its port policy (get on services/proxy)", {
              ...{ unknown: message, forbidden: true },
            }),
            remedy: "as somebody who may: sallyport check",
          },
        ],
      };
    if (status === 404 && /services .* not found/.test(message))
      return { answers: false, findings: [] };
    if (REACHES_NOBODY.test(message))
      return {
        answers: false,
        findings: [
          {
            ...{ code: "policy_port_silent", subject },
            message: `its port policy is not answered, and sidecars are given no policy there: ${message}`,
            remedy: `see that the Service has the port policy and that a NetworkPolicy lets pods and the API server reach it; ${TRY_AGAIN}`,
          },
        ],
      };
  }
  return { answers: true, findings: [] };
}
