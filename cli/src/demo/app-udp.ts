import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { TIMEOUT_MS } from "./app-tcp.ts";
import type { Attempt, Outcome, Seen } from "./attempt.ts";

export function overUdp({ address, port }: Attempt): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const done = (outcome: Outcome, received = 0) => {
      clearTimeout(timer);
      socket.close();
      resolve({ outcome, received });
    };
    const timer = setTimeout(() => done("no answer"), TIMEOUT_MS);
    socket.once("error", () => done("refused"));
    socket.once("message", (message) => done("answered", message.length));
    socket.connect(port, address, () => socket.send("hello"));
  });
}

export async function lookUp({ address, port }: Attempt): Promise<Seen> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  try {
    await resolver.resolve4("api.example.com");
    return { outcome: "answered" };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { outcome: code === "ECONNREFUSED" ? "refused" : "no answer" };
  }
}
