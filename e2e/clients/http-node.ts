/**
 * Requests by Node's http agent, one after the other over one kept connection: a JSON list of `NodeRequest`. Says a line
 * for each: a `NodeAnswer`.
 */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

export interface NodeRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sent behind a body in chunks. */
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface NodeAnswer {
  readonly status: number;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  /** Over a connection that had carried another. */
  readonly isReused: boolean;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
// A Host of its own does not make it another connection.
agent.getName = () => "one";

function ask({
  url,
  method = "GET",
  headers = {},
  body,
  trailers,
}: NodeRequest): Promise<NodeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeAnswer>();
  const asked = request(url, { agent, method, headers }, async (response) => {
    const { statusCode: status = 0 } = response;
    const said = await text(response).catch((error) => String(error));
    resolve({ status, body: said, trailers: response.trailers, isReused: asked.reusedSocket });
  });
  asked.on("error", reject);
  // What is ended with its body has a length, and no trailers.
  if (trailers) asked.write(body ?? "");
  if (trailers) asked.addTrailers(trailers);
  asked.end(trailers ? undefined : body);
  return promise;
}

for (const each of JSON.parse(process.argv[2] ?? "[]") as readonly NodeRequest[])
  console.log(JSON.stringify(await ask(each)));
