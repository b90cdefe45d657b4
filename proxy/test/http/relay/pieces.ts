/** One way to cut what is said into segments. */
export interface Cut {
  readonly name: string;
  readonly pieces: readonly string[];
}

/** What is longer is not said byte by byte, nor cut in many places. */
const LONG = 4_000;

export function whole(text: string): Cut {
  return { name: "in one piece", pieces: [text] };
}

export function bytewise(text: string): Cut {
  const size = text.length > LONG ? 1_000 : 1;
  const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
    text.slice(i * size, (i + 1) * size),
  );
  return { name: size === 1 ? "byte by byte" : "piece by piece", pieces };
}

/** Cut once, in each place where a reader may stop to think: around the ends of lines, and behind `;` and `:`. */
export function cutOnce(text: string, most = Number.POSITIVE_INFINITY): Cut[] {
  const places = [...text.slice(0, LONG).matchAll(/[\r\n:;]/g)].flatMap(({ index }) => [
    index,
    index + 1,
  ]);
  const inside = [...new Set(places)].filter((at) => at > 0 && at < text.length);
  const step = Math.max(1, Math.ceil(inside.length / most));
  return inside
    .filter((_, i) => i % step === 0)
    .map((at) => ({ name: `cut at ${at}`, pieces: [text.slice(0, at), text.slice(at)] }));
}
