import { showConnections } from "./connection-list.ts";
import { DestinationTable } from "./destination-table.ts";
import { byId, say } from "./dom.ts";
import { feedFor, type News } from "./feed.ts";
import { counted, formatCount } from "./format.ts";
import { showHead } from "./head.ts";
import { pausedBy } from "./pause.ts";
import { Reach } from "./reach.ts";
import { isSort, type Sort } from "./rows.ts";

const table = new DestinationTable(byId("destinations"));
const filter = byId("filter") as HTMLInputElement;
const sort = byId("sort") as HTMLSelectElement;
const pause = byId("pause");
const open = byId("open") as HTMLDetailsElement;

let latest: News | undefined;
const reach = new Reach();

const feed = feedFor({
  wantsConnections: () => open.open,
  news: (news) => {
    latest = news;
    reach.heard();
    show();
  },
  failed: (error) => reach.lost(`The sidecar cannot be reached: ${error.message}`),
});

function sorting(): Sort {
  return isSort(sort.value) ? sort.value : "name";
}

function show(): void {
  if (!latest) return;
  const { overview, destinations, others, connections } = latest;
  const nowMs = Date.parse(overview.now);
  showHead(overview);
  const shown = table.show(destinations, { filter: filter.value, sort: sorting(), nowMs });
  for (const head of document.querySelectorAll<HTMLElement>("th[data-sort]"))
    if (head.dataset.sort === sorting())
      head.setAttribute("aria-sort", sorting() === "name" ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  say("empty", shown > 0 ? "" : emptiness(destinations.length));
  say("others", others.destinations === 0 ? "" : forgotten(others));
  if (connections) showConnections(byId("open-list"), connections, nowMs);
}

function emptiness(all: number): string {
  return all === 0
    ? "Nothing has left this pod yet. As soon as it connects to something, it stands here."
    : `None of ${counted(all, "destination")} fits the filter.`;
}

function forgotten({ destinations, connections, requests }: News["others"]): string {
  const of = `${counted(connections, "connection")} and ${counted(requests, "request")}`;
  return `${formatCount(destinations)} more have not been seen for longest and are no longer kept one by one: ${of}.`;
}

filter.addEventListener("input", show);
sort.addEventListener("change", show);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
open.addEventListener("toggle", () => feed.wake());
pausedBy(pause, feed);
for (const head of document.querySelectorAll<HTMLElement>("th[data-sort]"))
  head.addEventListener("click", () => {
    sort.value = head.dataset.sort ?? "name";
    show();
  });
feed.wake();
