import type { Random } from "./random.ts";
import * as wire from "./wire.ts";

/** One hello made wrong, or only odd, in one to three ways. `others` are what is spliced in. */
export function mutate(hello: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let { prefix, extensions } = wire.takeApart(hello);
  for (let rounds = random.below(3); rounds > 0; rounds--)
    extensions = random.pick(CHANGES)(extensions, wire.takeApart(random.pick(others)), random);
  let message = wire.messageOf(wire.putTogether({ prefix, extensions }));
  for (let rounds = random.below(4) - 1; rounds > 0; rounds--)
    message = random.pick(EDITS)(message, random.pick(others), random);
  if (random.below(2) === 0) message = withRightLength(message);
  const size = random.below(4) === 0 ? 1 + random.below(message.length) : undefined;
  const bytes = wire.records(message, size);
  return random.below(10) === 0 ? random.pick(EDITS)(bytes, random.pick(others), random) : bytes;
}

type Extensions = readonly wire.Extension[];

/** Changes that keep every length right. */
const CHANGES: readonly ((e: Extensions, other: wire.HelloParts, random: Random) => Extensions)[] =
  [
    (extensions, _other, random) => inserted(extensions, random.pick(extensions), random),
    (extensions, other, random) => inserted(extensions, random.pick(other.extensions), random),
    (extensions, _other, random) => inserted(extensions, oddNames(random), random),
    (extensions, _other, random) => [
      ...extensions.filter(({ type }) => type !== wire.SERVER_NAME),
      oddNames(random),
    ],
    (extensions, _other, random) =>
      inserted(
        extensions,
        { type: random.below(65_536), data: random.bytes(random.below(40)) },
        random,
      ),
    (extensions, _other, random) => {
      const gone = random.pick(extensions);
      return extensions.filter((extension) => extension !== gone);
    },
    (extensions, _other, random) => {
      const changed = random.pick(extensions);
      return extensions.map((extension) =>
        extension === changed ? { ...extension, data: edited(extension.data, random) } : extension,
      );
    },
  ];

/** Edits that know nothing of what they change. */
const EDITS: readonly ((bytes: Buffer, other: Buffer, random: Random) => Buffer)[] = [
  anywhere,
  anywhere,
  (bytes, _other, random) => aroundName(bytes, random),
  (bytes, _other, random) => aroundName(bytes, random),
  (bytes, _other, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, _other, random) => Buffer.concat([bytes, random.bytes(1 + random.below(8))]),
  (bytes, other, random) => {
    const from = random.below(other.length);
    const piece = other.subarray(from, from + random.below(64));
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + random.below(64))]);
  },
];

const NAMES = [
  ...[
    "www.example.com",
    "WWW.EXAMPLE.COM.",
    "a.b",
    "",
    ".",
    "a..b",
    "192.0.2.1",
    "::1",
    "*.a.example",
  ],
  ...[
    "nul\0.example",
    "b\xfccher.example",
    "a".repeat(63),
    "a".repeat(64),
    "ab.".repeat(85),
    "x ".trim(),
  ],
  ...[
    "under_score.example",
    "-a.example",
    "a b.example",
    "ab.".repeat(84),
    "xn--bcher-kva.example",
  ],
];

function oddNames(random: Random): wire.Extension {
  const names = Array.from({ length: 1 + (random.below(4) >> 1) }, () => random.pick(NAMES));
  const extension = wire.serverNames(...names);
  return random.below(3) === 0 ? { ...extension, data: edited(extension.data, random) } : extension;
}

function inserted(extensions: Extensions, extra: wire.Extension, random: Random): Extensions {
  const at = random.below(extensions.length + 1);
  return [...extensions.slice(0, at), extra, ...extensions.slice(at)];
}

function anywhere(bytes: Buffer, _other: Buffer, random: Random): Buffer {
  return edited(bytes, random);
}

/** A bit turned, a byte set or counted up or down, one taken out or put in. */
function edited(bytes: Buffer, random: Random, at = random.below(bytes.length || 1)): Buffer {
  const copy = Buffer.from(bytes);
  const old = copy[at] ?? 0;
  switch (random.below(6)) {
    case 0:
      copy[at] = old ^ (1 << random.below(8));
      return copy;
    case 1:
      copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x2e]);
      return copy;
    case 2:
      copy[at] = old + 1;
      return copy;
    case 3:
      copy[at] = old - 1;
      return copy;
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1), bytes.subarray(at)]);
  }
}

/** Where the name and the lengths around it are, if it has one. */
function aroundName(bytes: Buffer, random: Random): Buffer {
  const name = bytes.indexOf("www.example.com");
  return edited(bytes, random, name < 0 ? undefined : Math.max(0, name - 12 + random.below(32)));
}

/** The message with the length in its header made right, where it is long enough to have one. */
function withRightLength(message: Buffer): Buffer {
  if (message.length < 4) return message;
  const copy = Buffer.from(message);
  copy.writeUIntBE(message.length - 4, 1, 3);
  return copy;
}
