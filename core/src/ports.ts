/** A closed range of TCP ports. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** The whole of `text` as a port number 1–65535, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** `443`, `8000-8100` or `*` (every port). */
export function parsePortRange(text: string): PortRange | Error {
  if (text === "*") return { first: 1, last: 65_535 };
  const [from = "", to = from, ...rest] = text.split("-");
  const first = parsePort(from);
  const last = parsePort(to);
  if (first === undefined || last === undefined || rest.length > 0 || last < first)
    return new Error(
      `"${text}" is not a port: expected 1 to 65535, a range such as 8000-8100, or *`,
    );
  return { first, last };
}

export function portInRange({ first, last }: PortRange, port: number): boolean {
  return port >= first && port <= last;
}
