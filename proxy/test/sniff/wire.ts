/** ClientHellos taken apart and put together: for what no client would say. */
export interface Extension {
  readonly type: number;
  readonly data: Buffer;
}

export interface HelloParts {
  /** Version, random, session id, cipher suites, compression methods: with their lengths. */
  readonly prefix: Buffer;
  readonly extensions: readonly Extension[];
}

export const SERVER_NAME = 0;
export const ALPN = 16;

export function vector8(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([body.length]), body]);
}

export function vector16(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint16(body.length), body]);
}

export function uint16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff]);
}

/** The ClientHello of as many records as it takes, in one. */
export function inOneRecord(bytes: Buffer): Buffer {
  const fragments: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    if (bytes[at] === 22)
      fragments.push(bytes.subarray(at + 5, at + 5 + bytes.readUInt16BE(at + 3)));
  const message = Buffer.concat(fragments);
  return records(message.subarray(0, 4 + message.readUIntBE(1, 3)));
}

/** A well-formed hello in one record. */
export function takeApart(hello: Buffer): HelloParts {
  const body = hello.subarray(9);
  let at = 34;
  at += 1 + body.readUInt8(at);
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  const prefix = body.subarray(0, at);
  const extensions: Extension[] = [];
  for (at += 2; at < body.length; ) {
    const end = at + 4 + body.readUInt16BE(at + 2);
    extensions.push({ type: body.readUInt16BE(at), data: body.subarray(at + 4, end) });
    at = end;
  }
  return { prefix, extensions };
}

export function putTogether({ prefix, extensions }: HelloParts): Buffer {
  return handshake(prefix, extensionBlock(extensions));
}

export function extensionBlock(extensions: readonly Extension[]): Buffer {
  return vector16(...extensions.flatMap(({ type, data }) => [uint16(type), vector16(data)]));
}

/** A ClientHello of this body, in one record. */
export function handshake(...body: readonly Buffer[]): Buffer {
  const message = Buffer.concat(body);
  const header = Buffer.from([1, 0, (message.length >> 8) & 0xff, message.length & 0xff]);
  return records(Buffer.concat([header, message]));
}

/** As many records as it takes, `size` bytes each at most. */
export function records(message: Buffer, size = 2 ** 14): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size)
    parts.push(Buffer.from([22, 3, 1]), vector16(message.subarray(at, at + size)));
  return Buffer.concat(parts);
}

/** The handshake bytes of a hello in one record. */
export function messageOf(hello: Buffer): Buffer {
  return hello.subarray(5);
}

export function serverNames(...names: readonly (string | Buffer)[]): Extension {
  const entries = names.flatMap((name) => [
    Buffer.from([0]),
    vector16(typeof name === "string" ? Buffer.from(name, "latin1") : name),
  ]);
  return { type: SERVER_NAME, data: vector16(...entries) };
}

/** What `hello` says of names and protocols, in a hello that is sound otherwise. */
export function grafted(hello: Buffer, sound: Buffer): Buffer {
  const ours = ({ type }: Extension) => type === SERVER_NAME || type === ALPN;
  const { prefix, extensions } = takeApart(sound);
  return putTogether({
    prefix,
    extensions: [
      ...takeApart(inOneRecord(hello)).extensions.filter(ours),
      ...extensions.filter((extension) => !ours(extension)),
    ],
  });
}

export function withServerName(hello: Buffer, ...replacements: readonly Extension[]): Buffer {
  const { prefix, extensions } = takeApart(hello);
  const others = extensions.filter(({ type }) => type !== SERVER_NAME);
  return putTogether({ prefix, extensions: [...replacements, ...others] });
}
