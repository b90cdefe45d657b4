import { type Figure, figure } from "../measure.ts";
import type { Measure } from "./measures.ts";

/** What a contender came to in one metric: a figure, or why there is none. */
export type Outcome = Figure | { readonly failed: string };

/** Metric name → contender → outcome, in the order in which they were measured. */
export class Results {
  readonly #samples = new Map<string, { unit: string; of: Map<string, number[] | string> }>();

  add(
    { metrics }: Measure,
    contender: string,
    outcome: readonly (number | undefined)[] | Error,
  ): void {
    for (const [index, { name, unit }] of metrics.entries()) {
      const metric = this.#samples.get(name) ?? { unit, of: new Map() };
      this.#samples.set(name, metric);
      if (outcome instanceof Error) metric.of.set(contender, outcome.message);
      else this.#note(metric.of, contender, outcome[index]);
    }
  }

  /** What has failed once stays failed: a median of the runs that went well would say too much. */
  #note(of: Map<string, number[] | string>, contender: string, value: number | undefined): void {
    const sofar = of.get(contender) ?? [];
    if (value === undefined || typeof sofar === "string") return;
    of.set(contender, [...sofar, value]);
  }

  hasFailed({ metrics }: Measure, contender: string): boolean {
    return metrics.some(
      ({ name }) => typeof this.#samples.get(name)?.of.get(contender) === "string",
    );
  }

  /** Metric by metric, contender by contender. */
  get outcomes(): ReadonlyMap<string, ReadonlyMap<string, Outcome>> {
    return new Map(
      [...this.#samples].map(([name, { unit, of }]) => [
        name,
        new Map(
          [...of].map(([contender, samples]) => [
            contender,
            typeof samples === "string"
              ? { failed: samples }
              : figure(name, contender, unit, samples),
          ]),
        ),
      ]),
    );
  }
}

export type Outcomes = Results["outcomes"];

/** The median, or undefined where there is none. */
export function median(outcomes: Outcomes, metric: string, contender: string): number | undefined {
  const outcome = outcomes.get(metric)?.get(contender);
  return outcome && "median" in outcome ? outcome.median : undefined;
}

export function figures(outcomes: Outcomes): readonly Figure[] {
  return [...outcomes.values()]
    .flatMap((of) => [...of.values()])
    .filter((outcome) => "median" in outcome);
}
