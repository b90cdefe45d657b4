import type { Attempt } from "@sallyport/core/decision";
import type { Explanation } from "@sallyport/core/explanation";
import type { EgressRule } from "@sallyport/core/rules";
import { type Applied, apply, entriesOf, podOf } from "./applied.ts";
import { refusalOf } from "./ask.ts";
import { combine } from "./combine.ts";
import type { PolicyObjects } from "./objects.ts";
import { parseRecord } from "./record-lines.ts";
import { replay } from "./replay.ts";
import type { Setting } from "./setting.ts";
import { explainRefusal, isPermitted, knowing, renamed } from "./suggest.ts";
import { type Group, Tally } from "./tally.ts";

/** Records judged again, each by the rules as they apply in its namespace. */
export class Simulation {
  readonly tally = new Tally();
  /** Lines that are no records. */
  skipped = 0;
  /** Records of what nobody judged. */
  unjudged = 0;
  readonly #objects: PolicyObjects;
  readonly #setting: Setting;
  readonly #answers: Map<string, readonly string[]>;
  readonly #applied = new Map<string, Applied>();

  constructor(objects: PolicyObjects, setting: Setting) {
    this.#objects = objects;
    this.#setting = setting;
    this.#answers = new Map(setting.answers);
  }

  get applied(): readonly Applied[] {
    return [...this.#applied.values()];
  }

  async add(line: string): Promise<void> {
    if (line.trim() === "") return;
    const record = parseRecord(line);
    if (!record) {
      this.skipped++;
      return;
    }
    const namespace = this.#setting.namespace ?? (record.namespace || "default");
    const applied = this.#applied.get(namespace) ?? (await this.#apply(namespace));
    const replayed = replay(applied, record, this.#answers);
    if (replayed) this.tally.add(record, replayed, namespace);
    else this.unjudged++;
  }

  /** Undefined where it is not refused. */
  explain({ namespace, replayed, addresses }: Group): Explanation | undefined {
    const applied = this.#applied.get(namespace);
    const denied = refusalOf(replayed.verdict);
    if (!applied || !denied) return undefined;
    const { named, attempt } = replayed;
    return explainRefusal(
      applied,
      denied,
      attempt,
      named && { ...named, addresses: [...addresses] },
    );
  }

  /** For each namespace the rule that would keep open what would be refused, and what no rule keeps open. */
  suggest(): { readonly rules: readonly EgressRule[]; readonly uncovered: readonly Group[] } {
    const groups = [...this.tally.groups("refused"), ...this.tally.groups("unknown")];
    const byNamespace = Map.groupBy(groups, ({ namespace }) => namespace);
    const rules: EgressRule[] = [];
    const uncovered: Group[] = [];
    for (const [namespace, its] of byNamespace) {
      const applied = this.#applied.get(namespace);
      if (!applied) continue;
      const parts = its.flatMap((group) => this.explain(group)?.egressRule ?? []);
      const rule = renamed(combine(parts, "allow-recorded", namespace), applied.names);
      if (parts.length > 0) rules.push(rule);
      const entries = entriesOf(applied, rule);
      uncovered.push(...its.filter((group) => !isPermitted(entries, attemptOf(group))));
    }
    return { rules, uncovered };
  }

  async #apply(namespace: string): Promise<Applied> {
    const { labels = {}, namespaceLabels, cluster, resolve } = this.#setting;
    const pod = podOf(namespace, labels, namespaceLabels);
    const applied = apply(this.#objects, pod, { mode: "enforce", cluster });
    this.#applied.set(namespace, applied);
    for (const name of applied.policy.tcpNames)
      if (resolve && !this.#answers.has(name)) this.#answers.set(name, await resolve(name));
    return applied;
  }
}

/** With all the addresses that its name has had. */
function attemptOf({ replayed: { attempt, named }, addresses }: Group): Attempt {
  return named ? knowing(attempt, { ...named, addresses: [...addresses] }) : attempt;
}
