import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

export interface Fetched {
  readonly status: number;
  readonly body: string;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PROGRAM = `
const [url, options] = process.argv.slice(1);
require("http").request(url, JSON.parse(options), (answer) => {
  let body = "";
  answer.on("data", (chunk) => { body += chunk; });
  answer.on("end", () => console.log(JSON.stringify({ status: answer.statusCode, body })));
}).on("error", (error) => { console.error(error.message); process.exitCode = 1; }).end();
`;

/** One HTTP request from inside a namespace. */
export async function fetched(
  namespace: NetworkNamespace,
  url: string,
  options: FetchOptions = {},
): Promise<Fetched> {
  return JSON.parse(
    await namespace.run(process.execPath, "-e", PROGRAM, url, JSON.stringify(options)),
  );
}
