import type { HostPattern } from "./hostname.ts";
import type { Ranges } from "./ranges.ts";
import type { Clause } from "./snapshot.ts";

/** A host of a clause. */
export interface Host {
  readonly clause: Clause;
  readonly pattern: HostPattern;
  /** Where the clause gives CIDRs, too. */
  readonly within: Ranges<string> | undefined;
}

/** Hosts by name: a look-up costs one probe a label, however many hosts there are. */
export class HostIndex {
  readonly #exact = new Map<string, Host[]>();
  /** By what follows the `*.`. */
  readonly #below = new Map<string, Host[]>();

  add(host: Host): void {
    const map = host.pattern.wildcard ? this.#below : this.#exact;
    const there = map.get(host.pattern.name);
    if (there) there.push(host);
    else map.set(host.pattern.name, [host]);
  }

  /** What `pick` first makes of a host that names it: exact ones, then wildcards from the nearest on. */
  find<R>(name: string, pick: (host: Host) => R | undefined): R | undefined {
    const exact = first(this.#exact.get(name), pick);
    if (exact !== undefined || this.#below.size === 0) return exact;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const below = first(this.#below.get(name.slice(dot + 1)), pick);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  /** The hosts that are this very name. */
  findExact<R>(name: string, pick: (host: Host) => R | undefined): R | undefined {
    return first(this.#exact.get(name), pick);
  }

  /** The first wildcard whose suffix is this very name, which it does not hold. */
  wildcardOf(name: string): Host | undefined {
    return this.#below.get(name)?.[0];
  }
}

function first<T, R>(
  list: readonly T[] | undefined,
  pick: (one: T) => R | undefined,
): R | undefined {
  if (list === undefined) return undefined;
  for (const one of list) {
    const picked = pick(one);
    if (picked !== undefined) return picked;
  }
  return undefined;
}
