import type { Overview } from "../src/admin/insight.ts";
import { byId, element, setText } from "./dom.ts";
import { counted, formatAge, formatAgo } from "./format.ts";

/** Who this is, by which policy it goes, and whatever a reader should know before the rest. */
export function showHead(overview: Overview): void {
  const { pod, namespace, policy, control, connections, started } = overview;
  const nowMs = Date.parse(overview.now);
  const name = pod === "" ? "this pod" : pod;
  setText(byId("pod"), name);
  document.title = `${name} · Sallyport`;
  const facts = [
    ...(namespace === "" ? [] : [`namespace ${namespace}`]),
    policy.mode,
    policyFact(policy, nowMs),
    `${counted(connections.accepted, "connection")} in ${formatAge(nowMs - Date.parse(started))}`,
  ];
  setText(byId("facts"), facts.join(" · "));
  setText(byId("open-count"), String(connections.open));
  show("problem", policy.problem === undefined ? undefined : problem(policy.problem));
  show("not-ready", overview.not_ready && `Not ready: ${overview.not_ready}.`);
  show("control", control && controlNotice(control, nowMs));
  show(
    "audit",
    policy.mode === "audit"
      ? "Audit mode: nothing is refused. What enforce mode would refuse stands first."
      : undefined,
  );
}

const BY = { controllers: " from the controllers", kept: ", kept from before", configuration: "" };

function policyFact(
  { version, applied, from = "configuration", revision }: Overview["policy"],
  nowMs: number,
): string {
  if (version === 0) return "no policy yet";
  const which = revision === undefined ? String(version) : revision.slice(0, 12);
  return `policy ${which}${BY[from]}, applied ${formatAgo(nowMs - Date.parse(applied))}`;
}

/** While there is a stream there is nothing to say. */
function controlNotice(
  { host, connected, since, problem: why }: NonNullable<Overview["control"]>,
  nowMs: number,
): string | undefined {
  if (connected) return undefined;
  const ago = since === undefined ? "" : `, ${formatAgo(nowMs - Date.parse(since))}`;
  return `No stream of policy from ${host}${ago}. ${why === undefined ? "" : `${why}. `}What is in force stays.`;
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
