/** Pod Security's levels that allow no container NET_ADMIN, NET_RAW (both) or root (restricted). */
const REFUSING: Readonly<Record<string, string>> = {
  baseline: "which needs NET_ADMIN and NET_RAW",
  restricted: "which needs NET_ADMIN and NET_RAW, and root",
};

/**
 * What Pod Security will refuse where a namespace enforces that level, and what to do. Exemptions stand in the API server's
 * own configuration and cannot be known.
 */
export function podSecurityWarning(level: string | undefined): string[] {
  if (level === undefined || !Object.hasOwn(REFUSING, level)) return [];
  return [
    `Pod Security "${level}", which the namespace enforces, refuses sallyport-init, ${REFUSING[level]}: label the namespace pod-security.kubernetes.io/enforce=privileged, or have its pods exempted`,
  ];
}
