import { writeFile } from "node:fs/promises";
import type { Box } from "./box.ts";
import { FILES } from "./configs.ts";

/** Gives the world these names, and no others; CoreDNS knows them within a second. Name → addresses. */
export async function nameWorld(names: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const lines = Object.entries(names).flatMap(([name, addresses]) =>
    addresses.map((address) => `${address} ${name}\n`),
  );
  await writeFile(FILES.names, lines.join(""));
}

/** Makes addresses of any kind the world's own: what a pod sends to them arrives there, for a server that is run by `box.enterWorld`. */
export async function addressWorld(box: Box, ...addresses: readonly string[]): Promise<void> {
  for (const address of addresses)
    await box.run(
      ...["ip", "netns", "exec", "world", "ip", "address", "replace"],
      ...[address.includes(":") ? `${address}/128` : `${address}/32`, "dev", "lo"],
      ...(address.includes(":") ? ["nodad"] : []),
    );
}
