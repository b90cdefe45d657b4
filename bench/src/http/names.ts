import type { Known } from "../data-path/options.ts";

/** The records and counters of every request, as it is injected; and what the log costs of that. */
export const OURS = "sallyport";
export const OURS_UNLOGGED = "sallyport-unlogged";
export const DIRECT = "direct";

export const KNOWN: Known = {
  contenders: [
    DIRECT,
    OURS,
    OURS_UNLOGGED,
    "nginx",
    "nginx-64k",
    "haproxy",
    "envoy",
    "http-proxy-3",
  ],
  groups: ["requests", "latency", "close", "bodies", "memory", "tls"],
};

/** The one Host that everybody serves (bench/load/http/http.h). */
export const HOST = "bench.sallyport.test";
export const PORTS = { http: 80, https: 443 } as const;
