import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { outcomeOfError, TIMEOUT_MS } from "./app-tcp.ts";
import type { Attempt, Outcome, Seen } from "./attempt.ts";

/** By what their attempts have in common; each has one connection, and keeps it. */
const agents = new Map<string, Agent>();

function agentOf({ connection }: Attempt): Agent | false {
  if (connection === undefined) return false;
  const agent = agents.get(connection) ?? new Agent({ keepAlive: true, maxSockets: 1 });
  agents.set(connection, agent);
  return agent;
}

/** One GET. A refusal is handed on as it was told. */
export function overHttp(attempt: Attempt): Promise<Seen> {
  const { address, port, name = "demo", reaches = address, arrivesAs = name } = attempt;
  const withPort = (host: string) => (port === 80 ? host : `${host}:${port}`);
  const expected = `you reached ${reaches} as ${withPort(arrivesAs)}\n`;
  const { promise, resolve } = Promise.withResolvers<Seen>();
  const asked = request({
    ...{ host: address, port, headers: { host: withPort(name) }, agent: agentOf(attempt) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let before = 0;
  asked.once("socket", (socket) => {
    before = socket.bytesRead;
  });
  const failed = (error: Error) => resolve({ outcome: outcomeOfError(error) });
  asked.once("response", (response) => {
    const { statusCode = 0, socket } = response;
    const read = (body: string): Seen => {
      const received = socket.bytesRead - before;
      return body === expected
        ? { outcome: "answered", received }
        : { outcome: outcomeOfStatus(statusCode), received, told: body };
    };
    text(response).then(read).then(resolve, failed);
  });
  asked.once("error", failed);
  asked.end();
  return promise;
}

function outcomeOfStatus(status: number): Outcome {
  return status === 403 || status === 502 ? `${status}` : "wrong answer";
}

const GREETING = "is anybody there?";

/** By its name, as programs do: opened, echoed, closed in order (RFC 6455 §7.1.4). */
export function overWebSocket({ name }: Attempt): Promise<Seen> {
  const { promise, resolve } = Promise.withResolvers<Seen>();
  const socket = new WebSocket(`ws://${name}/`);
  let echoed: unknown;
  socket.onopen = () => socket.send(GREETING);
  socket.onmessage = ({ data }) => {
    echoed = data;
    socket.close(1000);
  };
  socket.onclose = ({ wasClean }) =>
    resolve({ outcome: wasClean && echoed === GREETING ? "answered" : "wrong answer" });
  setTimeout(() => resolve({ outcome: "no answer" }), TIMEOUT_MS).unref();
  return promise;
}
