import { type Address, parseAddress } from "./address.ts";

/** `10.96.0.10`, `10.96.0.10:53` or `[fd00::a]:53`; undefined where it is none of these. */
export function parseResolver(text: string): { address: Address; port: number } | undefined {
  const [, bracketed, plain, port = "53"] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(
      text,
    ) ?? [];
  const address = parseAddress(bracketed ?? plain ?? "");
  return address && Number(port) > 0 && Number(port) < 65_536
    ? { address, port: Number(port) }
    : undefined;
}
