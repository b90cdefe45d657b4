export const DIRECT = "direct";
export const OURS = "sallyport";
export const BARE = "bare-net";

/** In the order in which the report gives them. */
export const CONTENDERS = [
  ...[DIRECT, OURS, "envoy", "haproxy", "haproxy-tuned"],
  ...["nginx", "nginx-64k", "node-pipe", BARE],
] as const;

/** What is measured together. */
export const GROUPS = ["start", "memory", "bulk", "short", "asking", "keepalive"] as const;
