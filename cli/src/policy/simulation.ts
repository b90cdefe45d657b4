import { type Applied, apply, podOf } from "./applied.ts";
import type { PolicyObjects } from "./objects.ts";
import { parseRecord } from "./record-lines.ts";
import { replay } from "./replay.ts";
import type { Setting } from "./setting.ts";
import type { Simulated } from "./simulated.ts";
import { Tally } from "./tally.ts";

/** Records judged again, each by the rules as they apply in its namespace. */
export class Simulation implements Simulated {
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
    if (replayed) this.tally.add(record, replayed, { namespace });
    else this.unjudged++;
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
