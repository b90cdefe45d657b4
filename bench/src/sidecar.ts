/** How Node runs the sidecar in a pod: as controller/src/admission/sidecar.ts injects it. */
export const NODE_FLAGS = ["--max-semi-space-size=1"] as const;
export const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: "1" } as const;
