import { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import { hasStatus } from "../kubernetes/api-error.ts";
import type { Knowledge, KnownBoundary, KnownRule } from "../rules/knowledge.ts";
import { MOST_EFFORT, mayJudgeBoundary, mayJudgeRule } from "./acceptance.ts";
import { conditionsOf } from "./conditions.ts";
import { budgetOf } from "./effort.ts";
import { findingsOfBoundary, findingsOfRule, objectsOf } from "./findings.ts";
import { match } from "./matching.ts";
import { createPace, type Due, type PaceTimes } from "./pace.ts";
import { withRests } from "./rest.ts";
import { settle } from "./settle.ts";
import type { StatusApi } from "./status-api.ts";
import { foldOf, sumOf } from "./sum.ts";

/** Whoever leads writes as this one: a new leader takes over what the last one has written, and doubles nothing. */
export const LEADER = "sallyport-leader";
/** An own field manager: what it adds to `past` is not among what the leader applies. */
const FOLDER = "sallyport-past";

/** What the watch brings back of a write is waited for that long; where it brings nothing that is understood, longer. */
const ECHO_MS = { usual: 5_000, most: 60_000 } as const;

/** Who is gone shows by time alone. */
const AGAIN_MS = 5_000;

export interface SumKeeping {
  readonly status: StatusApi;
  readonly knowledge: Knowledge;
  readonly isGone: (name: string) => boolean;
  /** Namespaces that the webhooks never cover. */
  readonly excluded: readonly string[];
  readonly pace?: PaceTimes | undefined;
}

export interface SumKeeper {
  /** Writes what is due. */
  look(nowMs: number): Promise<void>;
  /** Something is known that was not: without such news it is looked at now and then only. */
  changed(): void;
}

type Known = KnownRule | KnownBoundary;
type Wanted = Pick<
  EgressBoundaryStatus,
  | "observedGeneration"
  | "matchedNamespaces"
  | "matchedPods"
  | "appliedPods"
  | "allowed"
  | "refused"
  | "conditions"
>;

/** The leader's part of each status, from what it knows and the entries of all. */
export function keepSums(keeping: SumKeeping): SumKeeper {
  const { status, knowledge, isGone, excluded } = keeping;
  const pace = createPace(keeping.pace);
  const written = new Map<string, { readonly wanted: Wanted; readonly atMs: number }>();

  let hasLeft = false;
  const due = withRests((nowMs: number) => {
    const matching = match(knowledge, excluded);
    const now = new Date();
    const list: Due<Writing>[] = [];
    const uids = new Set<string>();
    const budget = budgetOf(MOST_EFFORT);
    /** One that has to wait says what it said before. */
    const mayJudge = ({ uid }: Known, may: boolean) => {
      uids.add(uid);
      hasLeft ||= !may;
      return may;
    };
    hasLeft = false;
    const add = (known: Known, wantedFrom: (sum: ReturnType<typeof sumOf>) => Draft) => {
      const { uid, generation } = known;
      const last = written.get(uid);
      // What was just written is newer than what the watch has brought.
      const echoMs = known.status ? ECHO_MS.usual : ECHO_MS.most;
      const there: Wanted | undefined =
        last && nowMs - last.atMs < echoMs ? last.wanted : known.status;
      const sum = sumOf(known.status, isGone);
      const { findings, ...numbers } = wantedFrom(sum);
      const wanted: Wanted = {
        observedGeneration: generation,
        ...numbers,
        ...{ allowed: sum.allowed, refused: sum.refused },
        conditions: conditionsOf(findings, there?.conditions, generation, now),
      };
      const folds = foldOf(known.status, isGone) !== undefined;
      const changed = difference(there, wanted);
      if (changed !== "none" || folds)
        list.push({ uid, soon: changed === "more", what: { known, wanted, folds, changed } });
    };
    for (const known of knowledge.rules()) {
      const matchedPods = matching.rules.get(known.uid) ?? 0;
      const boundaries = knowledge.boundariesOver(known.namespace ?? "") ?? [];
      const { object } = known;
      if (!mayJudge(known, !object || mayJudgeRule(object, objectsOf(boundaries), budget)))
        continue;
      add(known, (sum) => ({
        matchedPods,
        appliedPods: Math.min(sum.appliedPods, matchedPods),
        findings: findingsOfRule(known, boundaries, matchedPods, sum),
      }));
    }
    for (const known of knowledge.boundaries()) {
      const over = matching.boundaries.get(known.uid);
      const matchedPods = over?.pods ?? 0;
      const { object } = known;
      if (!mayJudge(known, !object || !over || mayJudgeBoundary(object, over.others, budget)))
        continue;
      add(known, (sum) => ({
        matchedNamespaces: over?.namespaces ?? 0,
        matchedPods,
        appliedPods: Math.min(sum.appliedPods, matchedPods),
        findings: findingsOfBoundary(known, over, sum),
      }));
    }
    for (const uid of written.keys()) if (!uids.has(uid)) written.delete(uid);
    pace.keep(uids);
    return list;
  });
  const write = async ({ known, wanted, folds, changed }: Writing, nowMs: number) => {
    try {
      if (folds) await fold(known);
      if (changed === "none") return;
      await status.apply(known, LEADER, wanted);
      written.set(known.uid, { wanted, atMs: nowMs });
    } catch (error) {
      // Gone, or written by another meanwhile: the watch will say so.
      if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw error;
    }
  };
  /** From what it says now, and only if it still says so then: nothing is ever summed up twice. */
  const fold = async (known: Known) => {
    const found = await status.read(known);
    if (found.uid !== known.uid) return;
    const schema = known.kind === "EgressRule" ? EgressRuleStatus : EgressBoundaryStatus;
    const parsed = schema.safeParse(found.status);
    const operations = parsed.success && foldOf(parsed.data, isGone);
    if (operations) await status.change(known, found.version, FOLDER, operations);
  };
  let hasNews = true;
  let againMs = 0;
  return {
    changed: () => {
      hasNews = true;
    },
    look: async (nowMs) => {
      if (!hasNews && nowMs < againMs) return;
      // Before everything is known, nothing could be told from nothing.
      if (knowledge.notReady !== undefined) return;
      const list = due(nowMs);
      if (!list) return;
      hasNews = list.length > 0 || hasLeft;
      againMs = nowMs + AGAIN_MS;
      const picked = pace.pick(list, nowMs);
      await settle(picked.map(({ what }) => write(what, nowMs)));
    },
  };
}

interface Draft extends Pick<Wanted, "matchedNamespaces" | "matchedPods" | "appliedPods"> {
  readonly findings: Parameters<typeof conditionsOf>[0];
}

interface Writing {
  readonly known: Known;
  readonly wanted: Wanted;
  readonly folds: boolean;
  readonly changed: ReturnType<typeof difference>;
}

function difference(there: Wanted | undefined, wanted: Wanted): "none" | "counts" | "more" {
  const pick = ({ conditions, ...status }: Wanted) =>
    JSON.stringify([
      status.observedGeneration,
      status.matchedNamespaces,
      status.matchedPods,
      status.appliedPods,
      (conditions ?? []).map((one) => [one.type, one.status, one.reason, one.message]).sort(),
    ]);
  if (!there || pick(there) !== pick(wanted)) return "more";
  return there.allowed === wanted.allowed && there.refused === wanted.refused ? "none" : "counts";
}
