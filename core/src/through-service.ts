import type { Allowed, Attempt, Decision, Denied } from "./decision.ts";
import type { Endpoint, LedOut } from "./leading-out.ts";
import { refuse } from "./permit.ts";

/** No more are dialled for one connection. */
const MOST_DIALLED = 8;
/** Nor are more looked at, as Kubernetes keeps no more of one Service in one place. */
const MOST_JUDGED = 1_000;

/**
 * A Service that leads out is judged as its endpoints: each as if the app had connected there itself. May be dialled what
 * is permitted then, no other address of a name; all of it alike, on one port, by one reason, so that the one verdict is
 * true whichever answers. With whom it begins is the attempt's `turn`, for nobody else spreads the load.
 */
export function throughService(
  led: LedOut,
  { turn = 0 }: Attempt,
  judge: (endpoint: Endpoint) => Decision,
): Decision {
  const { endpoints } = led;
  const names = new Set<string>();
  let needsName = false;
  let refused: Denied | undefined;
  let allowed: (Allowed & { readonly port: number }) | undefined;
  const dial: string[] = [];
  const count = Math.min(endpoints.length, MOST_JUDGED);
  for (let i = 0; i < count && dial.length < MOST_DIALLED; i++) {
    const endpoint = endpoints[(turn + i) % endpoints.length];
    if (!endpoint) continue;
    const decision = only(endpoint, judge(endpoint));
    if (decision.verdict === "needs_name") needsName = true;
    else if (decision.verdict === "needs_addresses")
      for (const name of decision.names) names.add(name);
    else if (decision.verdict === "deny") refused ??= { ...decision, service: led, endpoint };
    else {
      allowed ??= { ...decision, service: led, port: endpoint.port };
      if (isAlike(allowed, { ...decision, port: endpoint.port })) dial.push(endpoint.address);
    }
  }
  // What one of them lacks is asked for even if another is permitted: or it would never be dialled.
  if (names.size > 0) return { verdict: "needs_addresses", names: [...names] };
  if (needsName) return { verdict: "needs_name" };
  if (allowed) return { ...allowed, dial: [...new Set(dial)] };
  return refused ?? { ...refuse("denied.no_rule"), service: led };
}

/** A name may lead elsewhere as well; here nobody goes but to this endpoint. */
function only({ address }: Endpoint, decision: Decision): Decision {
  return decision.verdict === "allow" && !decision.dial.includes(address)
    ? refuse("denied.stale_address")
    : decision;
}

function isAlike(a: Allowed, b: Allowed): boolean {
  return (
    a.port === b.port &&
    a.reason === b.reason &&
    a.originate === b.originate &&
    a.match?.clause === b.match?.clause &&
    a.match?.what === b.match?.what
  );
}

/** As it was judged where it was refused: the endpoint in the place of its Service. */
export function judgedAs(attempt: Attempt, { endpoint }: Denied): Attempt {
  return endpoint ? { ...attempt, ...endpoint, led: undefined } : attempt;
}
