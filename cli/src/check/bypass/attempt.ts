/** What the probe is told to try, and what it saw: the words between probe-main.ts, which runs in the pod, and this command. */

export type Attempt = { readonly id: string } & (
  | { readonly kind: "tcp"; readonly address: string; readonly port: number; readonly say?: string }
  | {
      readonly kind: "tls";
      readonly address: string;
      readonly port: number;
      readonly name?: string;
    }
  | { readonly kind: "udp"; readonly address: string; readonly port: number }
  /** A page of the pod's own loopback. */
  | {
      readonly kind: "page";
      readonly port: number;
      readonly path: string;
      readonly method: string;
      readonly host: string;
    }
  /** Another attempt, as another user. */
  | { readonly kind: "become"; readonly uid: number; readonly gid: number; readonly next: Attempt }
);

/**
 * `connected`: somebody took the connection, be it the sidecar. `answered`: over UDP. `silent`: nothing came, neither an
 * answer nor a refusal. `failed`: the kernel's own word is in `error`.
 */
export type Outcome = "connected" | "answered" | "silent" | "failed";

/** A sidecar's record, of which this is asked. */
export interface Recorded {
  readonly verdict: "allow" | "deny";
  readonly reason: string;
  readonly would_be?: string | undefined;
  readonly rule?: string | undefined;
  readonly dialled_address?: string | undefined;
}

export interface Seen {
  readonly id: string;
  readonly outcome: Outcome;
  /** `EPERM` and its like. */
  readonly error?: string | undefined;
  /** What was answered first, in one line. */
  readonly heard?: string | undefined;
  /** Of pages. */
  readonly status?: number | undefined;
  /** What the sidecar says of it; absent where it says nothing. */
  readonly record?: Recorded | undefined;
}

export interface Task {
  readonly attempts: readonly Attempt[];
  readonly adminPort: number;
}

export interface Findings {
  readonly seen: readonly Seen[];
  /** Whether the sidecar told what it has recorded. */
  readonly recordsRead: boolean;
  /** Whether an interface has an IPv6 address that leads further than its link. */
  readonly hasIpv6: boolean;
  /** Of the probe's own process, in hexadecimal as /proc has it. */
  readonly capabilities: { readonly effective: string; readonly bounding: string };
  readonly noNewPrivileges: boolean;
  readonly uid: number;
  readonly gid: number;
}
