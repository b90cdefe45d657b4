import { byId, element, notice, say, setText } from "../../proxy/page/dom.ts";
import { fits } from "../../proxy/page/filter.ts";
import { counted, formatCount } from "../../proxy/page/format.ts";
import { pausedBy } from "../../proxy/page/pause.ts";
import { Reach } from "../../proxy/page/reach.ts";
import type { Fleet, FleetRefusal, RuleRow as Rule, Workload } from "../src/dashboard/fleet.ts";
import { formatPlace } from "./cells.ts";
import { feedFor, type News } from "./feed.ts";
import { KeyedRows } from "./keyed-rows.ts";
import { RefusalRow } from "./refusal-row.ts";
import { RuleRow } from "./rule-row.ts";
import { WorkloadRow } from "./workload-row.ts";

const filter = byId("filter") as HTMLInputElement;
const pause = byId("pause");
let latest: News | undefined;
const reach = new Reach();
const progressed = element("span", { id: "progress", class: "quiet" });
byId("state").before(progressed);

const nowMs = () => Date.parse(latest?.fleet.now ?? "");
const openWorkloads = new Map<string, WorkloadRow>();
const workloads = new KeyedRows<Workload>(
  byId("workloads"),
  ({ id }) => id,
  (workload) => {
    const row: WorkloadRow = new WorkloadRow(workload, () => {
      if (row.isOpen) openWorkloads.set(workload.id, row);
      else openWorkloads.delete(workload.id);
      show();
      feed.wake();
    });
    return row;
  },
);
const refusals = new KeyedRows<FleetRefusal>(
  byId("refusals"),
  ({ place, port, outcome, reason }) => [place, port, outcome, reason].join("\0"),
  () => new RefusalRow(showWorkload, nowMs),
);
const rules = new KeyedRows<Rule>(
  byId("rules"),
  ({ name }) => name,
  () => new RuleRow(),
);
const boundaries = new KeyedRows<Rule>(
  byId("boundaries"),
  ({ name }) => name,
  () => new RuleRow(),
);

const feed = feedFor({
  open: () => [...openWorkloads.keys()],
  news: (news) => {
    latest = news;
    reach.heard();
    show();
  },
  failed: (error) => reach.lost(`sallyport dashboard does not answer: ${error.message}`),
});

function show(): void {
  if (!latest) return;
  const { fleet, details } = latest;
  showHead(fleet);
  const has = (...texts: readonly (string | undefined)[]) => fits(filter.value, texts.join(" "));
  const chosen = {
    refusals: fleet.refusals.filter((each) =>
      has(formatPlace(each), each.why, each.nearest, ...each.workloads),
    ),
    workloads: new Set(fleet.workloads.filter((each) => has(each.id, ...each.troubles))),
    rules: fleet.rules.filter((each) => has(each.name, ...each.problems)),
    boundaries: fleet.boundaries.filter((each) => has(each.name, ...each.problems)),
  };
  refusals.show(chosen.refusals);
  workloads.show(fleet.workloads, (each) => chosen.workloads.has(each));
  for (const id of openWorkloads.keys()) if (!workloads.get(id)) openWorkloads.delete(id);
  for (const [id, row] of openWorkloads) row.fill(details.get(id), nowMs());
  rules.show(chosen.rules);
  boundaries.show(chosen.boundaries);
  const begun = fleet.readAt !== undefined;
  section(
    "refusals",
    chosen.refusals.length,
    fleet.refusals.length,
    begun ? "Nothing is refused." : "",
  );
  section("workloads", chosen.workloads.size, fleet.workloads.length, begun ? NO_WORKLOAD : "");
  section("rules", chosen.rules.length, fleet.rules.length, begun ? "There is no EgressRule." : "");
  section(
    "boundaries",
    chosen.boundaries.length,
    fleet.boundaries.length,
    begun ? "There is no EgressBoundary." : "",
  );
  if (fleet.moreRefusals > 0 && filter.value.trim() === "")
    say("refusals-empty", `and ${formatCount(fleet.moreRefusals)} more destinations`);
}

const NO_WORKLOAD =
  "No pod has a sidecar. Label a namespace sallyport.dev/injection=enabled, and annotate a workload sallyport.dev/inject=true.";

function showHead({ context, server, workloads: all, problems, progress, readAt }: Fleet): void {
  setText(byId("whose"), context);
  document.title = `${context} · Sallyport`;
  const pods = all.reduce((sum, each) => sum + each.pods, 0);
  const namespaces = new Set(all.map(({ namespace }) => namespace)).size;
  setText(
    byId("facts"),
    readAt === undefined
      ? server
      : [
          server,
          counted(namespaces, "namespace"),
          counted(all.length, "workload"),
          counted(pods, "pod"),
        ].join(" · "),
  );
  const isUnderWay = progress.asked < progress.of;
  setText(progressed, isUnderWay ? `asked ${progress.asked} of ${progress.of} sidecars` : "");
  notice("problem", problems.join("\n"));
}

function section(name: string, shown: number, all: number, emptiness: string): void {
  setText(byId(`${name}-count`), all === 0 ? "" : formatCount(all));
  say(`${name}-empty`, shown > 0 ? "" : all > 0 ? `None of ${all} fits the filter.` : emptiness);
}

/** Shows a workload that is named elsewhere: whatever is filtered comes back. */
function showWorkload(id: string): void {
  filter.value = "";
  show();
  const row = workloads.get(id);
  if (row instanceof WorkloadRow) row.open();
}

filter.addEventListener("input", show);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
pausedBy(pause, feed);
feed.wake();
