import type { Overview } from "../src/admin/insight.ts";
import { byId, element, setText } from "./dom.ts";
import { counted, formatAge, formatAgo } from "./format.ts";

/** Who this is, by which policy it goes, and whatever a reader should know before the rest. */
export function showHead(overview: Overview): void {
  const { pod, namespace, policy, connections, started } = overview;
  const nowMs = Date.parse(overview.now);
  const name = pod === "" ? "this pod" : pod;
  setText(byId("pod"), name);
  document.title = `${name} · Sallyport`;
  const facts = [
    ...(namespace === "" ? [] : [`namespace ${namespace}`]),
    policy.mode,
    `policy ${policy.version}, applied ${formatAgo(nowMs - Date.parse(policy.applied))}`,
    `${counted(connections.accepted, "connection")} in ${formatAge(nowMs - Date.parse(started))}`,
  ];
  setText(byId("facts"), facts.join(" · "));
  setText(byId("open-count"), String(connections.open));
  show("problem", policy.problem === undefined ? undefined : problem(policy.problem));
  show("not-ready", overview.not_ready && `Not ready: ${overview.not_ready}.`);
  show(
    "audit",
    policy.mode === "audit"
      ? "Audit mode: nothing is refused. What enforce mode would refuse stands first."
      : undefined,
  );
}

function problem(text: string): string {
  return `The newest policy cannot be used; the one before it stays in force.\n${text}`;
}

/** The sidecar cannot be reached: undefined when it can again. */
export function showUnreachable(error: Error | undefined, heardMs: number | undefined): void {
  const heard =
    heardMs === undefined
      ? ""
      : ` What stands below was heard ${formatAgo(performance.now() - heardMs)}.`;
  const text = error && `The sidecar cannot be reached: ${error.message}.${heard}`;
  show("unreachable", text);
}

function show(kind: string, text: string | undefined): void {
  const id = `notice-${kind}`;
  const found = document.getElementById(id);
  if (text === undefined || text === "") found?.remove();
  else if (found) setText(found, text);
  else byId("notices").append(element("p", { id, class: `notice ${kind}` }, text));
}
