import { PortSet } from "./ports.ts";
import type { Ports } from "./rules.ts";
import type { Clause } from "./snapshot.ts";

/** Which of a clause's ports apply: each function gives the first that does. */

export function inPorts({ port: first, endPort }: Ports, port: number): boolean {
  return port >= first && port <= (endPort ?? first);
}

export function portSet(clauses: readonly Clause[], wanted: (ports: Ports) => boolean): PortSet {
  const list = clauses.flatMap(({ ports }) => ports.filter(wanted));
  return new PortSet(list.map(({ port, endPort }) => ({ first: port, last: endPort ?? port })));
}

export function portsOf({ ports }: Clause, port: number): Ports | undefined {
  return ports.find((each) => inPorts(each, port));
}

/** Where it does not matter what is spoken; to what is to leave as TLS (`https`) it does. */
export function opaquePorts({ ports }: Clause, port: number, spoken?: string): Ports | undefined {
  if (spoken === "https") return undefined;
  return ports.find((each) => each.protocol === "tcp" && inPorts(each, port));
}

/** Where what is spoken is what the clause says is spoken. */
export function spokenPorts({ ports }: Clause, port: number, spoken?: string): Ports | undefined {
  return ports.find((each) => {
    if (each.protocol === "tcp" || !inPorts(each, port)) return false;
    return each.protocol === spoken || (each.protocol === "https" && spoken === "tls");
  });
}

/** Where the name that an app gives would count. */
export function namingPorts({ ports }: Clause, port: number, spoken?: string): Ports | undefined {
  return ports.find((each) => {
    if (each.protocol === "tcp" || !inPorts(each, port)) return false;
    if (spoken === undefined || each.protocol === spoken) return true;
    return each.protocol === "https" && (spoken === "tls" || spoken === "http");
  });
}
