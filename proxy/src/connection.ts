import type {
  Allowed,
  Answers,
  Attempt,
  Decision,
  Denied,
  Seen,
  Verdict,
} from "@sallyport/core/decision";
import { evaluate } from "@sallyport/core/evaluate";
import type { Policy } from "@sallyport/core/policy";
import type { Endpoint } from "./engine.ts";
import type { AnswerStatus } from "./http/answer.ts";
import { type Answer, isNone } from "./resolve/answer.ts";

/**
 * The way of one connection: accepted by the engine → `decide`, which looks at the first bytes (look.ts) and resolves
 * names (resolve/) as far as the policy asks for it → dialled and relayed by the engine, or refused in its own language
 * (refusal.ts) → recorded (connection-record.ts). Who calls these is connections.ts.
 */
export interface OpenConnection {
  /** Counts up from 1 in one sidecar. */
  readonly number: number;
  readonly startedMs: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** What its first bytes have shown; undefined where nobody has looked. */
  seen?: Seen | undefined;
  request?: Asked | undefined;
  /** How HTTP is answered that cannot be read (400, 408, 414, 431), and how its first request was answered by us. */
  answerAs?: AnswerStatus | undefined;
  /** Names that were resolved for it, as they were answered. */
  resolved?: Map<string, readonly string[]> | undefined;
  /** Of these, those of which nobody knew anything. */
  unanswered?: Set<string> | undefined;
  /** Its address was among no answer, and those have been asked for once more. */
  refreshed?: boolean;
  /** Undefined while it is being decided. */
  outcome?: Outcome | undefined;
  /** A newer policy refuses it. */
  revoked?: boolean;
  /** Its requests are judged one by one: `seen`, `resolved` and `outcome` are of the one under way. */
  http?: RequestByRequest;
}

/** What is open and speaks HTTP, as far as others look at it. */
export interface RequestByRequest {
  /** How many have been begun. */
  readonly requests: number;
  readonly sent: number;
  readonly received: number;
  /** Resets it. */
  cut(): void;
}

/** What an HTTP request asks for, as far as records and refusals say it. */
export interface Asked {
  readonly method: string;
  /** Without its query, printable. */
  readonly path: string;
  readonly wantsJson?: boolean;
}

/** What was decided; or why nothing could be. */
export type Outcome =
  | Verdict
  | {
      readonly verdict: "trouble";
      readonly reason: "denied.loop" | "denied.limit" | "failed.internal";
      readonly error?: string;
    };

/** What deciding needs from outside. */
export interface Means {
  policy(): Policy;
  readonly answers: Answers;
  /** Undefined when the connection is gone. */
  look(connection: OpenConnection): Promise<Seen | undefined>;
  resolve(name: string): Promise<Answer>;
  /** Asks for kept names anew, their TTL notwithstanding. */
  refresh(names: readonly string[]): Promise<void>;
}

/** At once wherever address and port decide; undefined when the connection has gone meanwhile. */
export function decide(
  connection: OpenConnection,
  means: Means,
): Verdict | Promise<Verdict | undefined> {
  const decision = judge(connection, means);
  const isSettled = decision.verdict === "allow" || decision.verdict === "deny";
  return isSettled && !isPerhapsNew(connection, decision)
    ? decision
    : decideLater(connection, decision, means);
}

/** Names whose answers come anew to any connection that is at none of their known addresses: more would be a flood. */
const MOST_REFRESHED = 32;

/** The app's resolver may have been told of an address after ours was asked, or of another part of many. */
function isPerhapsNew({ refreshed }: OpenConnection, decision: Decision): decision is Denied {
  return decision.verdict === "deny" && decision.reason === "denied.stale_address" && !refreshed;
}

async function decideLater(
  connection: OpenConnection,
  first: Decision,
  means: Means,
): Promise<Verdict | undefined> {
  let decision = first;
  for (;;) {
    switch (decision.verdict) {
      case "needs_name":
        connection.seen = await means.look(connection);
        if (!connection.seen) return undefined;
        break;
      case "needs_addresses":
        await resolveAll(connection, decision.names, means);
        break;
      default:
        if (!isPerhapsNew(connection, decision)) return decision;
        await refreshNames(connection, decision, means);
    }
    decision = judge(connection, means);
  }
}

/** By the policy in force now: it may be a newer one than when the question was asked. */
function judge(connection: OpenConnection, means: Means): Decision {
  const decision = evaluate(means.policy(), attemptOf(connection, means.answers));
  if (decision.verdict === "allow") noteAnswers(connection, decision, means.answers);
  return decision;
}

/** The name by which it was allowed: the app's own, or the one that the address it dialled was found to be of. */
export function nameOf({ seen }: OpenConnection, { match }: Allowed): string | undefined {
  return match?.clause.hosts && match.ports.protocol === "tcp" ? match.what : seen?.name;
}

/** What is known of its name now is what it was decided by, whatever the name leads to later. */
function noteAnswers(connection: OpenConnection, allowed: Allowed, answers: Answers): void {
  const name = nameOf(connection, allowed);
  if (name === undefined || connection.resolved?.has(name)) return;
  const addresses = answers.addressesOf(name);
  if (!addresses) return;
  // An address that a name had a moment ago counts as its own, and did so here.
  const { destination } = connection;
  const dialled = allowed.service ? allowed.dial : [destination.address];
  const late = dialled.filter(
    (address) => answers.namesOf(address).includes(name) && !addresses.includes(address),
  );
  connection.resolved = new Map(connection.resolved).set(name, [...addresses, ...late]);
}

/**
 * The same again, for one that is open: why the policy in force refuses what was dialled, if it does. What was never
 * looked at can no longer be, and counts as carrying no name.
 */
export async function refusalOf(
  connection: OpenConnection,
  dialled: readonly Endpoint[],
  means: Means,
): Promise<Denied | undefined> {
  if (means.policy().mode === "audit") return undefined;
  const look = () => Promise.resolve<Seen>({ protocol: "opaque" });
  const judgeAt = (destination: Endpoint) =>
    decide({ ...connection, destination }, { ...means, look });
  const verdict = await judgeAt(connection.destination);
  const elsewhere = dialled.filter((each) => !leadsTo(verdict, connection.destination, each));
  if (!isThroughService(connection)) {
    if (verdict?.verdict !== "allow") return verdict ?? { verdict: "deny", reason: "failed.dns" };
    return elsewhere.length > 0 ? STALE : undefined;
  }
  // What is denied by the Service's own address is denied whichever way it went.
  if (verdict?.verdict === "deny" && isItselfDenied(verdict)) return verdict;
  // Its endpoints may be others by now: the one that it has is judged as if the app had dialled that.
  for (const endpoint of elsewhere) {
    const there = await judgeAt(endpoint);
    if (!leadsTo(there, endpoint, endpoint)) return there?.verdict === "deny" ? there : STALE;
  }
  return undefined;
}

const STALE: Denied = { verdict: "deny", reason: "denied.stale_address" };

function leadsTo(
  verdict: Verdict | undefined,
  original: Endpoint,
  { address, port }: Endpoint,
): boolean {
  if (verdict?.verdict !== "allow") return false;
  return (verdict.port ?? original.port) === port && verdict.dial.includes(address);
}

/** Dialled was an endpoint, then; audit mode dials the Service itself, and nobody knows where that went. */
function isThroughService({ outcome }: OpenConnection): boolean {
  return outcome?.verdict === "allow" && outcome.port !== undefined;
}

function isItselfDenied({ reason, endpoint }: Denied): boolean {
  return reason === "denied.boundary" && !endpoint;
}

/** What may be dialled; of it that with this index, where one is given. */
export function dialledOf(
  { destination }: Pick<OpenConnection, "destination">,
  { dial, port = destination.port }: Allowed,
  index?: number,
): Endpoint[] {
  const addresses = index === undefined ? dial : dial.slice(index, index + 1);
  return addresses.map((address) => ({ address, port }));
}

/** Its own answers before those of the moment: what was asked for it must not run out while it is decided. */
export function attemptOf(connection: OpenConnection, answers: Answers): Attempt {
  const { destination, seen, resolved, unanswered } = connection;
  return {
    ...destination,
    seen,
    turn: connection.number,
    answers: {
      isUnanswered: (name) => unanswered?.has(name) ?? false,
      addressesOf: (name) => resolved?.get(name) ?? answers.addressesOf(name),
      namesOf: (address) => {
        const own = [...(resolved ?? [])].filter(([, its]) => its.includes(address));
        const known = answers.namesOf(address);
        return own.length === 0 ? known : [...new Set([...known, ...own.map(([name]) => name)])];
      },
    },
  };
}

async function resolveAll(
  connection: OpenConnection,
  names: readonly string[],
  { resolve }: Means,
): Promise<void> {
  for (const [name, answer] of await Promise.all(
    names.map(async (name) => [name, await resolve(name)] as const),
  )) {
    connection.resolved = (connection.resolved ?? new Map()).set(name, answer.addresses);
    if (answer.addresses.length === 0 && !isNone(answer.error))
      connection.unanswered = (connection.unanswered ?? new Set()).add(name);
  }
}

async function refreshNames(
  connection: OpenConnection,
  { endpoint = connection.destination }: Denied,
  { policy, refresh }: Means,
): Promise<void> {
  connection.refreshed = true;
  const { port } = endpoint;
  const names = new Set(policy().permitting.flatMap((list) => list.tcpNames(port)));
  if (names.size <= MOST_REFRESHED) await refresh([...names]);
}
