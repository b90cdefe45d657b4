import type { Any } from "./pod-support.ts";

/**
 * What the kubelet makes of a container's security context, written from the API's own documentation ("Field values of
 * container.securityContext take precedence over field values of PodSecurityContext") and not from the code under test.
 */
export function effectiveSecurity(pod: Any, container: Any) {
  const podWide = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const inherited = (field: string) => own[field] ?? podWide[field] ?? undefined;
  return {
    runAsUser: inherited("runAsUser"),
    runAsGroup: inherited("runAsGroup"),
    runAsNonRoot: inherited("runAsNonRoot") ?? false,
    seccomp: inherited("seccompProfile")?.type ?? "Unconfined",
    appArmor: inherited("appArmorProfile")?.type,
    readOnlyRoot: own.readOnlyRootFilesystem ?? false,
    privileged: own.privileged ?? false,
    escalation: own.allowPrivilegeEscalation ?? true,
    added: own.capabilities?.add ?? [],
    dropped: own.capabilities?.drop ?? [],
  };
}

/** Why the kubelet would not start it (verifyRunAsNonRoot), or undefined. */
export function whyNotStarted(pod: Any, container: Any): string | undefined {
  const { runAsNonRoot, runAsUser } = effectiveSecurity(pod, container);
  if (!runAsNonRoot) return undefined;
  if (runAsUser === 0) return "container's runAsUser breaks non-root policy";
  if (runAsUser === undefined) return "image may have a root user";
  return undefined;
}

/** What Pod Security `restricted` finds wrong with the container itself. */
export function restrictedViolations(pod: Any, container: Any): string[] {
  const it = effectiveSecurity(pod, container);
  const rules: [string, boolean][] = [
    ["privileged", it.privileged === false],
    ["allowPrivilegeEscalation", it.escalation === false],
    ["runAsNonRoot", it.runAsNonRoot === true],
    ["runAsUser", it.runAsUser !== 0],
    ["seccompProfile", it.seccomp === "RuntimeDefault" || it.seccomp === "Localhost"],
    ["capabilities.drop", it.dropped.includes("ALL")],
    ["capabilities.add", it.added.every((name: string) => name === "NET_BIND_SERVICE")],
    ["hostPort", (container.ports ?? []).every((port: Any) => !port.hostPort)],
    ["appArmor", it.appArmor !== "Unconfined"],
  ];
  return rules.filter(([, holds]) => !holds).map(([name]) => name);
}
