import { Resolver } from "node:dns/promises";
import { canonicalAddress } from "@sallyport/core/address";
import { type Failure, isNone, type Reply } from "./answer.ts";
import type { Limits } from "./limits.ts";
import { interleave } from "./order.ts";

interface AddressRecord {
  readonly address: string;
  readonly ttl: number;
}

/** What one family's question came to. */
interface Half {
  readonly records: readonly AddressRecord[];
  readonly failure?: Failure;
}

const FAMILIES = [4, 6] as const;
type Family = (typeof FAMILIES)[number];

/** Node's codes of c-ares' errors. */
const FAILURE_OF: Readonly<Record<string, Failure>> = {
  ENOTFOUND: "not_found",
  ENODATA: "no_address",
  ETIMEOUT: "timeout",
  ECONNREFUSED: "unreachable",
  ESERVFAIL: "server_failure",
  ENOTIMP: "server_failure",
  EFORMERR: "server_failure",
  EREFUSED: "server_refused",
  ECANCELLED: "closed",
};

/** Another server may know better; c-ares itself goes on to the next for silence and for one that cannot be reached. */
const ASK_THE_NEXT: readonly Failure[] = ["server_failure", "server_refused", "unreadable"];

/**
 * One set of name servers, asked through c-ares (`node:dns`' Resolver): it matches answers to questions, asks again,
 * turns to TCP for what is truncated, and gives with each address the least TTL of the CNAME chain that led to it (as
 * tested). `resolve4` and `resolve6` ask for the name as it is: no search list, no hosts file, no nsswitch. Of the pod's
 * resolv.conf c-ares still reads `options` (rotate, use-vc), which change how these servers are asked, never whom.
 */
export class Servers {
  readonly #addresses: readonly string[];
  readonly #limits: Limits;
  readonly #ipv6First: () => boolean;
  /** By the server that is asked first. Made when they are first needed: a sidecar without names pays nothing. */
  readonly #resolvers: Resolver[] = [];
  #closed = false;

  constructor(addresses: readonly string[], limits: Limits, ipv6First: () => boolean) {
    this.#addresses = addresses;
    this.#limits = limits;
    this.#ipv6First = ipv6First;
  }

  /** Both families at once. The reply is told when it is whole; and once before that, if one family keeps the other waiting. */
  ask(name: string, told: (reply: Reply) => void): void {
    const halves = new Map<Family, Half>();
    const tell = () => told(this.#reply(halves));
    const arrived = (family: Family, half: Half) => {
      if (halves.has(family)) return;
      halves.set(family, half);
      if (halves.size === FAMILIES.length) {
        clearTimeout(deadline);
        clearTimeout(patience);
        tell();
      } else if (half.records.length > 0) {
        patience = setTimeout(tell, this.#limits.otherFamilyMs);
      }
    };
    let patience: NodeJS.Timeout | undefined;
    const deadline = setTimeout(() => {
      for (const family of FAMILIES) arrived(family, { records: [], failure: "timeout" });
    }, this.#limits.lookupMs);
    for (const family of FAMILIES)
      void this.#half(name, family).then((half) => arrived(family, half));
  }

  /** What is being asked is told as `closed`. */
  close(): void {
    this.#closed = true;
    for (const resolver of this.#resolvers) resolver.cancel();
  }

  async #half(name: string, family: Family): Promise<Half> {
    let half: Half = { records: [], failure: "no_servers" };
    for (const first of this.#addresses.keys()) {
      half = await this.#query(this.#resolverFrom(first), name, family);
      if (this.#closed) return { records: [], failure: "closed" };
      if (!half.failure || !ASK_THE_NEXT.includes(half.failure)) break;
    }
    return half;
  }

  async #query(resolver: Resolver, name: string, family: Family): Promise<Half> {
    try {
      const records = await (family === 4
        ? resolver.resolve4(name, { ttl: true })
        : resolver.resolve6(name, { ttl: true }));
      // A CNAME that leads to nothing is no error to c-ares.
      return records.length > 0 ? { records } : { records, failure: "no_address" };
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      return { records: [], failure: FAILURE_OF[code] ?? "unreadable" };
    }
  }

  #resolverFrom(first: number): Resolver {
    const made = this.#resolvers[first];
    if (made) return made;
    const { timeoutMs, tries } = this.#limits;
    const resolver = new Resolver({ timeout: timeoutMs, tries });
    resolver.setServers(this.#addresses.slice(first));
    this.#resolvers[first] = resolver;
    return resolver;
  }

  #reply(halves: ReadonlyMap<Family, Half>): Reply {
    const records = [...halves.values()].flatMap((half) => half.records);
    const all = [...new Set(records.map(({ address }) => canonicalAddress(address) ?? address))];
    const addresses = interleave(
      all.filter((address) => !address.includes(":")),
      all.filter((address) => address.includes(":")),
      this.#ipv6First(),
    );
    const failure = failureOf(FAMILIES.map((family) => halves.get(family)));
    if (addresses.length === 0) return { addresses, ttlSeconds: 0, failure };
    const ttlSeconds = Math.min(...records.map(({ ttl }) => ttl));
    return { addresses, ttlSeconds, failure: isNone(failure) ? undefined : failure };
  }
}

/** Not to have learned counts before to have learned that there is none. */
function failureOf(halves: readonly (Half | undefined)[]): Failure | undefined {
  const failures = halves.map((half) => (half ? half.failure : "timeout"));
  return failures.find((failure) => failure && !isNone(failure)) ?? failures.find(Boolean);
}
