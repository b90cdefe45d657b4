import type { FailReason } from "@sallyport/core/reasons";

/** connect(2) and ip(7) errors. EPERM and EACCES are a packet filter's word on the way out. */
const FAILURES: Readonly<Record<string, FailReason>> = {
  ECONNREFUSED: "failed.connect_refused",
  ETIMEDOUT: "failed.connect_timeout",
  ECONNRESET: "failed.reset",
  EHOSTUNREACH: "failed.unreachable",
  ENETUNREACH: "failed.unreachable",
  EHOSTDOWN: "failed.unreachable",
  ENETDOWN: "failed.unreachable",
  ENONET: "failed.unreachable",
  EACCES: "failed.unreachable",
  EPERM: "failed.unreachable",
  EINVAL: "failed.unreachable",
};

/** Of a system's error code. */
export function failReason(code = ""): FailReason {
  return FAILURES[code] ?? "failed.internal";
}
