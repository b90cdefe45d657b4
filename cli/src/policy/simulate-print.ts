import { formatRule } from "@sallyport/core/manifest";
import { formatAmount, total } from "./amount.ts";
import { type Io, print } from "./io.ts";
import { simulationJson, simulationText } from "./simulate-report.ts";
import { type Simulated, suggest } from "./simulated.ts";

export interface Shape {
  readonly output: string;
  readonly suggest?: boolean | undefined;
}

/** The report; `more` are what else a machine is told. With `suggest` standard output is for the rules alone. */
export async function printSimulation(
  simulation: Simulated,
  shape: Shape,
  io: Io,
  more: object = {},
): Promise<void> {
  if (shape.output === "json") {
    await print(io.stdout, [JSON.stringify({ ...simulationJson(simulation), ...more }, null, 2)]);
    return;
  }
  await print(shape.suggest ? io.stderr : io.stdout, simulationText(simulation));
  if (!shape.suggest) return;
  const { rules, uncovered } = suggest(simulation.tally);
  const { refused, unknown } = simulation.tally.beyond;
  const left = [
    ...uncovered.map(({ namespace, destination }) => `  ${namespace}: ${destination}`),
    ...[refused, unknown]
      .filter((amount) => total(amount) > 0)
      .map((amount) => `  ${formatAmount(amount)} to more destinations than are told apart`),
  ];
  await print(
    io.stderr,
    left.length > 0 ? ["", "What these rules do not keep open:", ...left] : [],
  );
  await print(
    io.stdout,
    rules.flatMap((rule, i) => [...(i > 0 ? ["---"] : []), formatRule(rule).trimEnd()]),
  );
}
