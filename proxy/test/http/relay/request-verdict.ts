import { METHODS } from "node:http";
import { type NodeRead, requestsIn } from "../node-reader.ts";
import type { Heard } from "./app.ts";
import { marked } from "./origin.ts";
import { type PlainField, valuesOf } from "./plain-fields.ts";
import { type PlainRequest, readRequests } from "./plain-requests.ts";
import { type PlainResponse, readResponses } from "./plain-responses.ts";

/** What one app has said on one connection, and what has come of it. */
export interface Passage {
  /** latin1, as all of these. */
  readonly sent: string;
  /** Every byte that has arrived at the origin. */
  readonly arrived: string;
  readonly heard: Heard;
}

export interface Verdict {
  /** How many requests have arrived, complete. */
  readonly passed: number;
  /** What must not be; empty where all is well. */
  readonly violations: readonly string[];
}

/**
 * Whether what has arrived is what was sent and can be read in one way only, by the strict reader and by node:http; and
 * whether each request was answered with its own answer, in order, and whatever was not passed on with a refusal.
 */
export async function verdictOn({ sent, arrived, heard }: Passage): Promise<Verdict> {
  const violations: string[] = [];
  const must = (holds: boolean, otherwise: string) => {
    if (!holds) violations.push(otherwise);
  };
  const asked = readRequests(sent, "as_sent");
  const { messages, rest } = readRequests(arrived, "as_forwarded");
  must(typeof rest === "string", `what arrived is unclear: ${JSON.stringify(rest)}`);
  for (const [i, message] of messages.entries()) {
    const original = asked.messages[i];
    if (!original)
      violations.push(`passed on, though it is unclear: ${JSON.stringify(asked.rest)}`);
    else must(isSame(original, message), `request ${i + 1} is another than was sent`);
  }
  const [nodeArrived, nodeSent] = await Promise.all([requestsIn(arrived), requestsIn(sent)]);
  // Node drops what it has read where it then meets what it does not know.
  const isAllKnown = rest === "nothing" && messages.every(isKnownToNode);
  must(
    (!isAllKnown || nodeArrived.length === messages.length) &&
      nodeArrived.every((node, i) => agrees(messages[i], node)),
    `node:http reads ${shown(nodeArrived)} in what arrived`,
  );
  for (const [i, message] of messages.entries())
    must(!nodeSent[i] || agrees(message, nodeSent[i]), "node:http reads another in what was sent");
  violations.push(...answersTo(messages, heard));
  return { passed: messages.length, violations };
}

function answersTo(passed: readonly PlainRequest[], { text, how }: Heard): string[] {
  if (how === "hangs") return ["it hangs"];
  const methods = passed.map(({ method }) => method);
  // Behind those at most one refusal, which may know that what it refuses is a HEAD, or not.
  const told = (last: string) =>
    readResponses(text, [...methods, last], how === "end", "as_forwarded");
  const { messages: answers, rest } =
    [told("HEAD")].find(({ rest }) => rest === "nothing") ?? told("GET");
  if (typeof rest !== "string" || (rest === "unfinished" && how === "end"))
    return [`the answers cannot be read: ${JSON.stringify(rest)}`];
  const own = answers.slice(0, passed.length);
  const others = answers.slice(passed.length);
  const wrong = passed.findIndex((request, i) => !isMarked(own[i], request));
  if (wrong >= 0) return [`request ${wrong + 1} has not its own answer`];
  if (others.length > 1 || others.some((answer) => !isRefusal(answer)))
    return ["an answer too many"];
  return passed.length + others.length === 0 && how === "end" ? ["no answer at all"] : [];
}

function isMarked(answer: PlainResponse | undefined, request: PlainRequest): boolean {
  const saw = /X-Saw: (.*)\r\n/.exec(marked(request))?.[1];
  return answer?.status === 200 && saw !== undefined && valuesOf(answer.fields, "x-saw")[0] === saw;
}

/** Our own answer: it says so, and that it is the last. */
export function isRefusal({ status, fields }: PlainResponse): boolean {
  const [reason = ""] = valuesOf(fields, "x-sallyport-reason");
  return status >= 400 && reason !== "" && valuesOf(fields, "connection")[0] === "close";
}

function isSame(a: PlainRequest, b: PlainRequest): boolean {
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
}

function essence({ method, target, host, fields, body, trailers }: PlainRequest) {
  return [method, target, host, endToEnd(fields), body, trailers];
}

const FOR_ONE_HOP =
  /^(?:connection|keep-alive|proxy-connection|te|upgrade|http2-settings|proxy-authorization)$/;

/** RFC 9110 §7.6.1: what is not for one hop alone. */
export function endToEnd(fields: readonly PlainField[]): readonly PlainField[] {
  const options = valuesOf(fields, "connection").flatMap((value) => value.toLowerCase().split(","));
  const nominated = options.map((option) => option.trim());
  return fields.filter(([name]) => !FOR_ONE_HOP.test(name) && !nominated.includes(name));
}

/** It refuses methods that it has not heard of, and targets beyond ASCII. */
function isKnownToNode({ method, target }: PlainRequest): boolean {
  return METHODS.includes(method) && /^[\x21-\x7e]*$/.test(target);
}

function agrees(ours: PlainRequest | undefined, nodes: NodeRead | undefined): boolean {
  if (!ours || !nodes) return false;
  const [method, target = ""] = nodes.line.split(" ");
  // In absolute form it names the origin that the Host does.
  const isPath = target.startsWith("/") || target === "*";
  const isSameTarget = isPath ? target === ours.target : target.endsWith(ours.target.slice(1));
  return method === ours.method && isSameTarget && nodes.body === ours.body;
}

function shown(messages: readonly NodeRead[]): string {
  return JSON.stringify(messages.map(({ line }) => line));
}
