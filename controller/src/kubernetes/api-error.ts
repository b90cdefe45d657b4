import { ApiException } from "@kubernetes/client-node";

/** The API's verbs, as RBAC names them, and what to call the attempt. */
const ATTEMPTS = {
  get: "read",
  list: "list",
  watch: "watch",
  create: "create",
  update: "write",
  patch: "change",
} as const;
export type Verb = keyof typeof ATTEMPTS;

/** One line: what was attempted, what was said, what to do. */
export class ApiError extends Error {
  /** The HTTP status; undefined where nobody answered. */
  readonly status: number | undefined;
  /** What tells it from other troubles: where nobody answered, not in which of many words the network says so. */
  readonly kind: string;

  constructor(verb: Verb, what: string, cause: unknown) {
    const { status, said } = saidBy(cause);
    const advice = status === undefined ? undefined : ADVICE[status]?.(verb);
    super(`cannot ${ATTEMPTS[verb]} ${what}: ${said}${advice ? `: ${advice}` : ""}`, { cause });
    this.status = status;
    this.kind = status === undefined ? `nobody lets us ${verb} ${what}` : this.message;
  }
}

const ADVICE: Readonly<Record<number, (verb: Verb) => string>> = {
  401: () => "the API server does not accept this token or certificate",
  403: (verb) => `give the ServiceAccount ${verb} on it`,
};

/** Runs a call of the API; what it throws is an ApiError. */
export async function attempt<T>(verb: Verb, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError(verb, what, error);
  }
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

function saidBy(error: unknown): { status?: number; said: string } {
  if (error instanceof ApiException) return { status: error.code, said: statusText(error) };
  if (!(error instanceof Error)) return { said: String(error) };
  // A watch that is refused throws an Error with this; a Status object comes as an event of a watch.
  const { statusCode, cause } = error as { statusCode?: number; cause?: unknown };
  if (statusCode !== undefined) return { status: statusCode, said: error.message };
  // fetch says only "fetch failed"; why is in its cause, and of several addresses, in theirs.
  const [first] = cause instanceof AggregateError ? cause.errors : [cause];
  return { said: first instanceof Error ? first.message : error.message };
}

function statusText({ code, body }: ApiException<unknown>): string {
  const status = typeof body === "string" ? parsed(body) : body;
  const { message, reason } = (status ?? {}) as { message?: string; reason?: string };
  const text = message ?? reason ?? (typeof body === "string" && body !== "" ? body : "");
  return `${text.trim().slice(0, 1_024)}${text === "" ? "" : " "}(HTTP ${code})`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
