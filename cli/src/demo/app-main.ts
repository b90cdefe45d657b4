/**
 * The app of the demo, an ordinary program that knows of no proxy: makes the attempts given as JSON in its argument, one
 * after the other, and prints what it saw of each as one JSON line. With `hold`, it opens one connection instead, and says
 * when it is open and how it ended.
 */
import { connect } from "node:net";
import { overHttp, overWebSocket } from "./app-http.ts";
import { overTcp } from "./app-tcp.ts";
import { lookUp, overUdp } from "./app-udp.ts";
import type { Attempt, Seen } from "./attempt.ts";

/** The app's argument. */
export interface Task {
  readonly attempts: readonly Attempt[];
  /** PEM: whom it trusts. */
  readonly ca: string;
  readonly hold?: { readonly address: string; readonly port: number };
}

const { attempts, ca, hold }: Task = JSON.parse(process.argv[2] ?? "{}");

function make(attempt: Attempt): Promise<Seen> {
  switch (attempt.exchange) {
    case "http":
      return overHttp(attempt);
    case "websocket":
      return overWebSocket(attempt);
    case "lookup":
      return lookUp(attempt);
    case "datagram":
      return overUdp(attempt);
    default:
      return overTcp(attempt, attempt.exchange, ca);
  }
}

/** Open for as long as it is let: `open` once a byte has come back, then how it ended. */
function holdOpen({ address: host, port }: NonNullable<Task["hold"]>): void {
  const socket = connect({ host, port }, () => socket.write("hold"));
  socket.once("data", () => console.log("open"));
  socket.once("error", ({ code }: NodeJS.ErrnoException) => console.log(code));
  socket.once("end", () => console.log("end"));
}

async function main(): Promise<void> {
  for (const attempt of attempts) console.log(JSON.stringify(await make(attempt)));
  if (hold) holdOpen(hold);
}

main();
