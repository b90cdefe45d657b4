import type { Prerequisite } from "../certificate-source.ts";
import { authorityFrom, createSharedAuthority, type SharedAuthority } from "../certificates.ts";
import type { Log } from "../log.ts";
import { keepShared } from "./keep-shared.ts";
import { logOnce } from "./log-once.ts";
import type { SecretStore, StoredCertificate } from "./secret-store.ts";

/** The keys of the Secret, beside those of the certificate and the seal key. */
const KEYS = { certificate: "policy-ca.crt", key: "policy-ca.key" } as const;

const DAY_MS = 86_400_000;
const NAME = "Sallyport policy";
/** Longer than any pod lives, which has it in its config; and from a day ago on, for clocks that are behind. */
const LIFE_MS = 3_650 * DAY_MS;
const BACKDATED_MS = DAY_MS;

/** The authority that sidecars trust: replicas issue themselves from it what they serve (docs/adr/010-delivery.md). */
export interface PolicyAuthority extends Prerequisite {
  /** Undefined until there is one. */
  readonly current: SharedAuthority | undefined;
}

export const newPolicyAuthority = (nowMs: number): Promise<SharedAuthority> =>
  createSharedAuthority(nowMs - BACKDATED_MS, NAME, LIFE_MS + BACKDATED_MS);

/** What a Secret's `data` says; an Error where it holds something that cannot be used. */
export function readPolicyAuthority(
  data: Readonly<Record<string, string>> | undefined,
  nowMs: number,
): SharedAuthority | Error | undefined {
  const [certificate, key] = [data?.[KEYS.certificate], data?.[KEYS.key]];
  if (certificate === undefined && key === undefined) return undefined;
  const text = (base64 = "") => Buffer.from(base64, "base64").toString("utf8");
  try {
    const found = authorityFrom(text(certificate), text(key), NAME);
    if (found.notAfter.getTime() > nowMs) return found;
    return new Error(`${KEYS.certificate} was valid until ${found.notAfter.toISOString()}`);
  } catch (error) {
    const why = (error as Error).message;
    return new Error(`${KEYS.certificate} and ${KEYS.key} cannot be used: ${why}`);
  }
}

export function writePolicyAuthority(authority: SharedAuthority): Record<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return { [KEYS.certificate]: base64(authority.certificate), [KEYS.key]: base64(authority.key) };
}

/** Once it is ready it stays so. Where the Secret is gone from the start, each replica goes by one of its own. */
export async function policyAuthorityFromSecret(
  store: SecretStore,
  log: Log,
): Promise<PolicyAuthority> {
  const told = logOnce(log);
  let current: SharedAuthority | undefined;
  let notReady: string | undefined = `waiting for the policy CA in ${store.what}`;

  const use = (found: SharedAuthority) => {
    if (current && current.certificate !== found.certificate)
      log(
        "warn",
        "the policy CA is another: sidecars from before trust it once they are made anew",
      );
    if (current?.certificate !== found.certificate) current = found;
    notReady = undefined;
    told.fine(`the policy CA in ${store.what} can be used again`);
  };
  const refresh = async () => {
    try {
      const { secret } = await store.read();
      const found = readPolicyAuthority(secret?.data, Date.now());
      if (found && !(found instanceof Error)) return use(found);
      if (found) told.trouble(new Error(`${store.what}: ${found.message}`));
      if (!secret) {
        told.trouble(new Error(`${store.what} does not exist: ${WITHOUT}`));
        current ??= await newPolicyAuthority(Date.now());
        notReady = undefined;
      } else if (!current)
        notReady = `${store.what}: ${found?.message ?? "it holds no policy CA yet"}`;
    } catch (error) {
      if (!current) notReady = (error as Error).message;
      told.trouble(error);
    }
  };
  await refresh();
  return {
    get current() {
      return current;
    },
    get notReady() {
      return notReady;
    },
    refresh,
  };
}

/** Better than no admission at all. */
const WITHOUT =
  "a sidecar that is made now trusts one controller alone, until it is gone; helm upgrade makes it again";

/** What the one controller that leads does for the others: it makes one where there is none, and what is lost it writes back. */
export function keepPolicyAuthority(
  store: SecretStore,
  source: PolicyAuthority,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const mend = async (stored: StoredCertificate) => {
    const found = readPolicyAuthority(stored.secret?.data, Date.now());
    if (found && !(found instanceof Error)) return;
    const made = source.current ?? (await newPolicyAuthority(Date.now()));
    await store.writeBeside(stored, writePolicyAuthority(made));
    log("info", source.current ? "the policy CA is written back" : "the policy CA is made", {
      secret: store.what,
      ...(found && { why: found.message }),
    });
    await source.refresh();
  };
  return keepShared("the policy CA", store, mend, log, signal);
}
