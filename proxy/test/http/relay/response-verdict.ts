import { type NodeRead, responseIn } from "../node-reader.ts";
import type { Heard } from "./app.ts";
import { type PlainField, type Reading, valuesOf } from "./plain-fields.ts";
import { type PlainResponse, readResponses } from "./plain-responses.ts";
import { endToEnd, isRefusal } from "./request-verdict.ts";

/** What an origin has answered to one request, and what the app that asked it has heard. */
export interface Reply {
  readonly method: string;
  /** latin1, as is what was heard. */
  readonly said: string;
  /** The origin has ended the connection behind it. */
  readonly hasEnded: boolean;
  readonly heard: Heard;
  /** What stands in X-Saw of the answer to the second request, a GET. */
  readonly mark: string;
  /** What another app has heard, if that is who has asked for the second. */
  readonly other?: string;
}

export interface ReplyVerdict {
  /** The first answer as the app has it, complete. */
  readonly answer: PlainResponse | undefined;
  /** What must not be; empty where all is well. */
  readonly violations: readonly string[];
}

/**
 * Whether the app has heard what was said where that can be read in one way only, and otherwise a refusal, or something that
 * nobody takes for complete; and never anything but its own answer to its second request.
 */
export async function verdictOnReply(reply: Reply): Promise<ReplyVerdict> {
  const { method, said, hasEnded, heard, mark, other } = reply;
  const told = readResponses(heard.text, [method, "GET"], heard.how === "end", "as_forwarded");
  const [answer, second] = told.messages;
  const [original] = readResponses(said, [method], hasEnded, "as_sent").messages;
  const violations = wholeness(told, heard);
  if (answer && !isRefusal(answer) && !(original && isSame(original, answer)))
    violations.push(original ? "the answer is another than was given" : "complete, though unclear");
  if (second && !isRefusal(second) && !isMarked(second, mark))
    violations.push(`the second request is answered with ${JSON.stringify(second)}`);
  if (other !== undefined) violations.push(...answersAnother(other, mark));
  if (answer && answer.status !== 101) {
    const forApp = await responseIn(heard.text, method, answer.untilClose);
    if (!forApp || !agrees(answer, forApp))
      violations.push(`node:http reads ${JSON.stringify(forApp)} in what was heard`);
  }
  if (answer && original && !isRefusal(answer) && answer.status !== 101) {
    const forOrigin = await responseIn(said, method, original.untilClose);
    if (forOrigin && !agrees(answer, forOrigin))
      violations.push(`node:http reads ${JSON.stringify(forOrigin)} in what was said`);
  }
  return { answer, violations };
}

function answersAnother(text: string, mark: string): string[] {
  const { messages, rest } = readResponses(text, ["GET"], false, "as_forwarded");
  const [answer] = messages;
  return rest === "nothing" && answer && isMarked(answer, mark)
    ? []
    : [`another app is answered with ${JSON.stringify(text)}`];
}

function isMarked({ fields }: PlainResponse, mark: string): boolean {
  return valuesOf(fields, "x-saw")[0] === mark;
}

function agrees(ours: PlainResponse, nodes: NodeRead): boolean {
  return nodes.line.startsWith(`${ours.status} `) && nodes.body === ours.body;
}

/** What is not complete must not end as if it were. */
function wholeness({ messages, rest }: Reading<PlainResponse>, { how }: Heard): string[] {
  if (how === "hangs") return ["it hangs"];
  if (rest === "unfinished" && how !== "ECONNRESET") return [`cut, and ended by ${how}`];
  if (typeof rest !== "string") return [`what was heard is unclear: ${rest.unclear}`];
  return messages.length === 0 && rest === "nothing" && how !== "ECONNRESET" ? ["no answer"] : [];
}

function isSame(a: PlainResponse, b: PlainResponse): boolean {
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
}

function essence({ status, fields, body, trailers, interim }: PlainResponse) {
  return [status, endToEnd(fields).filter(isTheirs(status)), body, trailers, interim];
}

/** Ours they must not say, and a length of 0 need not stand where there is no body (RFC 9110 §8.6). */
function isTheirs(status: number): (field: PlainField) => boolean {
  return ([name]) =>
    !name.startsWith("x-sallyport-") && !(status === 204 && name === "content-length");
}
