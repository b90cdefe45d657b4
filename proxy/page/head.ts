import type { Overview } from "../src/admin/insight.ts";
import { byId, notice, setText } from "./dom.ts";
import { counted, formatAge, formatAgo } from "./format.ts";

/** Who this is, by which policy it goes, and whatever a reader should know before the rest. */
export function showHead(overview: Overview): void {
  const { pod, namespace, policy, control, connections, started } = overview;
  const nowMs = Date.parse(overview.now);
  const name = pod === "" ? "this pod" : pod;
  setText(byId("whose"), name);
  document.title = `${name} · Sallyport`;
  const facts = [
    ...(namespace === "" ? [] : [`namespace ${namespace}`]),
    policy.mode,
    policyFact(policy, nowMs),
    `${counted(connections.accepted, "connection")} in ${formatAge(nowMs - Date.parse(started))}`,
  ];
  setText(byId("facts"), facts.join(" · "));
  setText(byId("open-count"), String(connections.open));
  notice("problem", policy.problem === undefined ? undefined : problem(policy.problem));
  notice("not-ready", overview.not_ready && `Not ready: ${overview.not_ready}.`);
  notice("control", control && controlNotice(control, nowMs));
  notice(
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
