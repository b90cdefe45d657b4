import fc from "fast-check";

/** A sound message, and what it means. */
export interface Message {
  readonly bytes: string;
  readonly body: string;
  readonly trailers: readonly string[];
}

/** In which Node knows them too. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"] as const;

const text = (characters: string, limits: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom(...characters), ...limits });

const value = text("abz019 \t,;=\"/\xe4'", { maxLength: 12 });
const blank = fc.constantFrom("", " ", " ", " ", "  ", "\t");

/** Names that mean nothing to a relay, some of them nearly those that do. */
const plainField = fc
  .tuple(
    fc.constantFrom(
      ...["X", "x-y", "Accept", "User-Agent", "Cookie", "Content-Type", "Content-Lengt", "Hosts"],
      ...["Transfer-Encodin", "!#$%&'*+-.^_`|~9", "X-Sallyport", "traceparent", "Via", "ETag"],
    ),
    blank,
    value,
    blank,
  )
  .map(([name, before, said, after]) => `${name}:${before}${said}${after}`);

/** Fields that a relay has to take out, or to change. */
const hopField = fc.constantFrom(
  ...["Connection: keep-alive", "connection:close", "Connection: x-y, Keep-Alive", "TE: trailers"],
  ...["Keep-Alive: timeout=5", "Proxy-Connection: close", "Upgrade: h2c", "Connection: TE, x"],
);

const extension = fc.constantFrom("", "", "", ";a", ";a=b", ';a="b;\\"c"', ";a;b=c");
const zeros = fc.constantFrom("", "", "", "0", "000");
const data = text("abc\r\n0 GET", { minLength: 1, maxLength: 40 });
const trailer = fc.constantFrom("X-Sum: abc", "x-y:", "Server-Timing: a;dur=1");

const chunkedBody = fc
  .record({
    chunks: fc.array(fc.tuple(zeros, data, extension, fc.boolean()), { maxLength: 4 }),
    last: fc.tuple(zeros, extension),
    trailers: fc.array(trailer, { maxLength: 2 }),
  })
  .map(({ chunks, last: [nulls, ended], trailers }) => {
    const framed = chunks.map(([padding, bytes, extended, upper]) => {
      const digits = bytes.length.toString(16);
      return `${padding}${upper ? digits.toUpperCase() : digits}${extended}\r\n${bytes}\r\n`;
    });
    return {
      field: "Transfer-Encoding: chunked",
      bytes: `${framed.join("")}${nulls}0${ended}\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`,
      body: chunks.map(([, bytes]) => bytes).join(""),
      trailers,
    };
  });

const measuredBody = text("abc\r\n0 GET", { maxLength: 40 }).map((body) => ({
  field: `Content-Length: ${body.length}`,
  ...{ bytes: body, body, trailers: [] as readonly string[] },
}));

const noBody = fc.constant({
  field: undefined,
  ...{ bytes: "", body: "", trailers: [] as readonly string[] },
});

const fields = fc.tuple(
  fc.array(fc.oneof({ weight: 4, arbitrary: plainField }, hopField), { maxLength: 4 }),
  fc.array(plainField, { maxLength: 2 }),
);

/** Without bytes above ASCII, which Node refuses there. */
const path = text('/ab?=&%20"|', { maxLength: 10 }).map((rest) => `/${rest}`);

export const request: fc.Arbitrary<Message> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    target: fc.oneof(
      path,
      path.map((rest) => `http://a.example${rest}`),
      fc.constantFrom("http://A.Example:80", "http://a.example?b"),
    ),
    minor: fc.constantFrom("1", "1", "1", "0"),
    host: fc.constantFrom("Host: a.example", "host:A.EXAMPLE", "HOST: a.example:80"),
    content: fc.oneof(noBody, measuredBody, chunkedBody),
    around: fields,
  })
  .filter(({ minor, content }) => minor === "1" || !content.field?.startsWith("Transfer"))
  .map(({ method, target, minor, host, content, around: [before, after] }) => {
    const lines = [`${method} ${target} HTTP/1.${minor}`, ...before, host, ...after];
    return message([...lines, ...(content.field ? [content.field] : [])], content);
  });

export const response: fc.Arbitrary<Message> = fc
  .record({
    status: fc.constantFrom("200 OK", "200 ", "404 Not Found", "500 \xe4 b", "201"),
    content: fc.oneof(noBody, measuredBody, chunkedBody),
    around: fields,
  })
  .map(({ status, content, around: [before, after] }) => {
    const lines = [`HTTP/1.1 ${status}`, ...before, ...(content.field ? [content.field] : [])];
    return message([...lines, ...after], content);
  });

function message(
  lines: readonly string[],
  { bytes, body, trailers }: Pick<Message, "bytes" | "body" | "trailers">,
): Message {
  return { bytes: `${lines.join("\r\n")}\r\n\r\n${bytes}`, body, trailers };
}

/** One byte that is another, is missing, is there twice, or is one too many; or a line twice. */
export const edit: fc.Arbitrary<(bytes: string) => string> = fc
  .record({
    kind: fc.constantFrom("replace", "replace", "remove", "insert", "insert", "repeatLine"),
    at: fc.nat(10_000),
    byte: fc.oneof(
      fc.constantFrom(...'\r\n\t \0:;,0159afxX-+_"\\/\x0b\x7f\x80\xff'),
      fc.nat(255).map((code) => String.fromCharCode(code)),
    ),
  })
  .map(({ kind, at: anywhere, byte }) => (bytes: string) => {
    const at = anywhere % bytes.length;
    switch (kind) {
      case "replace":
        return bytes.slice(0, at) + byte + bytes.slice(at + 1);
      case "remove":
        return bytes.slice(0, at) + bytes.slice(at + 1);
      case "insert":
        return bytes.slice(0, at) + byte + bytes.slice(at);
      default: {
        const lines = bytes.split("\r\n");
        const line = at % lines.length;
        return [...lines.slice(0, line + 1), ...lines.slice(line)].join("\r\n");
      }
    }
  });
