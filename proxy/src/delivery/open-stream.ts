import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { printable } from "../sniff/name-given.ts";
import { codeOf, DeliveryFailure } from "./failure.ts";
import type { StreamLimits } from "./limits.ts";
import { isUpgraded, readAnswerHead, retryAfterMs, upgradeRequest } from "./upgrade.ts";

/** Loaded with the first stream: a sidecar that reads its policy from a file needs none of it. */
const tls = () => process.getBuiltinModule("node:tls");

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
}

export interface OpenedStream {
  readonly socket: TLSSocket;
  /** What the server has said already. */
  readonly rest: Buffer;
}

/** Connects to one address, verifies whom it has reached, and asks for the stream. Throws DeliveryFailure. */
export async function openStream(
  address: string,
  to: Destination,
  token: string,
  limits: StreamLimits,
  gone: AbortSignal,
): Promise<OpenedStream> {
  const socket = await connected(address, to, limits, gone);
  try {
    socket.write(upgradeRequest(to.host, to.port, token));
    return await answered(socket, limits, gone);
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  }
}

/** Trusted is the authority that the configuration gives and no other: Node leaves out its own roots where any is given. */
function connected(
  address: string,
  { host, port, ca }: Destination,
  { connectMs, handshakeMs }: StreamLimits,
  gone: AbortSignal,
): Promise<TLSSocket> {
  const at = `${host} (${address} port ${port})`;
  const socket = tls().connect({
    ...{ host: address, port, ca, minVersion: "TLSv1.2" as const },
    ...(isIP(host) === 0 && { servername: host }),
  });
  let hasConnected = false;
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(new DeliveryFailure(why));
    };
    const settle = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", left);
      socket.removeAllListeners("error");
    };
    const left = () => fail("the sidecar is ending");
    const late = (what: string, ms: number) => fail(`${at} did not ${what} within ${ms} ms`);
    let timer = setTimeout(() => late("answer", connectMs), connectMs);
    gone.addEventListener("abort", left);
    socket.once("connect", () => {
      hasConnected = true;
      clearTimeout(timer);
      timer = setTimeout(() => late("finish the TLS handshake", handshakeMs), handshakeMs);
    });
    socket.once("error", (error) => {
      if (!hasConnected) return fail(`cannot connect to ${at}: ${codeOf(error)}`);
      if (socket.authorizationError)
        return fail(
          `the certificate of ${at} is not one of the controllers': ${printable(error.message, 300)}`,
        );
      fail(`the TLS handshake with ${at} failed: ${codeOf(error)}`);
    });
    socket.once("secureConnect", () => {
      settle();
      resolve(socket);
    });
  });
}

function answered(
  socket: TLSSocket,
  { answerMs, toldCharacters }: StreamLimits,
  gone: AbortSignal,
): Promise<OpenedStream> {
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    const settle = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", left);
      socket.off("data", read).off("end", ended).off("close", ended).off("error", failed);
    };
    const fail = (why: string, retryMs?: number) => {
      settle();
      reject(new DeliveryFailure(why, retryMs));
    };
    const refused = () => {
      const head = readAnswerHead(heard);
      if (head === undefined || head === "more")
        return fail("the controller's port ended the connection, or does not speak HTTP/1.1");
      const said = printable(head.rest.toString("latin1").trim(), toldCharacters);
      const words = said === "" ? "" : `: ${said}`;
      fail(`the controller refuses the stream (${head.status})${words}`, retryAfterMs(head));
    };
    const read = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      const head = readAnswerHead(heard);
      if (head === "more") return;
      if (head === undefined) return refused();
      if (isUpgraded(head)) {
        settle();
        socket.pause();
        return resolve({ socket, rest: head.rest });
      }
      const length = Number(head.fields.get("content-length") ?? Number.POSITIVE_INFINITY);
      if (head.rest.length >= Math.min(length, toldCharacters * 4)) refused();
    };
    const ended = () => refused();
    const failed = (error: Error) => fail(`the controller broke the connection: ${codeOf(error)}`);
    const left = () => fail("the sidecar is ending");
    const timer = setTimeout(() => {
      if (heard.length > 0) refused();
      else fail(`the controller did not answer within ${answerMs} ms`);
    }, answerMs);
    gone.addEventListener("abort", left);
    socket.on("data", read).once("end", ended).once("close", ended).once("error", failed);
  });
}
