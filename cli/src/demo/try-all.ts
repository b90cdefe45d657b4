import { styleText } from "node:util";
import { PORTS } from "@sallyport/proxy/contract";
import { httpGet, type RunningContainer } from "../lab/run-pod.ts";
import { type App, attempt } from "./app.ts";
import { ATTEMPTS } from "./attempts.ts";
import { type Judgement, judge } from "./judge.ts";
import { attemptTable, changedStats } from "./report.ts";
import { settledRecords } from "./settled-records.ts";
import type { Stage } from "./stage.ts";

export type Say = (line: string) => void;

/** The attempts of the table, one after the other, and what came of them. True when all went as it says. */
export async function tryAll(
  app: App,
  stage: Stage,
  sidecar: RunningContainer,
  say: Say,
): Promise<boolean> {
  const before = await httpGet(stage.pod, PORTS.admin, "/stats");
  const seen = await attempt(app, ATTEMPTS);
  const judgement = judge(ATTEMPTS, seen, await settledRecords(stage, sidecar));
  for (const line of attemptTable(judgement.judged)) say(line);
  for (const { attempt, seen } of judgement.judged.filter(({ attempt }) => attempt.isTold)) {
    say(`\n${styleText("bold", `What the app was told: ${attempt.what}`)}`);
    for (const line of (seen?.told ?? "nothing").trim().split("\n")) say(line);
  }
  say(`\n${styleText("bold", "/stats, what changed")}`);
  for (const line of changedStats(before, await httpGet(stage.pod, PORTS.admin, "/stats")))
    say(line);
  say("");
  return conclude(judgement, say);
}

function conclude({ judged, surplus }: Judgement, say: Say): boolean {
  const wrong = judged.filter(({ faults }) => faults.length > 0);
  for (const { attempt, faults, record } of wrong)
    say(`${attempt.what}: ${faults.join("; ")}\n  its record: ${JSON.stringify(record)}`);
  for (const record of surplus)
    say(`A record that no attempt accounts for: ${JSON.stringify(record)}`);
  const isRight = wrong.length === 0 && surplus.length === 0;
  say(
    isRight
      ? `All ${judged.length} attempts went as they should. Try your own: npm run demo -- curl -v http://api.example.com/`
      : `Not as it should be: ${wrong.length} of ${judged.length} attempts, ${surplus.length} records that belong to none.`,
  );
  return isRight;
}
