/** A command's three streams. */
export interface Io {
  readonly stdin: AsyncIterable<Buffer | string>;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export interface Sink {
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/** Arguments or files that cannot be used, each mistake a line: the command's own name stands before them. */
export class BadInput extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

export const STATUS = { holds: 0, fails: 1, badInput: 2 } as const;

/** Runs a command: what it says of its input goes to standard error, and the exit status is 2. */
export async function run(command: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const mistakes = mistakesOf(error as Error);
    if (!mistakes) throw error;
    await print(
      io.stderr,
      mistakes.map((mistake) => `sallyport ${command}: ${mistake}`),
    );
    return STATUS.badInput;
  }
}

function mistakesOf(error: Error): readonly string[] | undefined {
  if (error instanceof BadInput) return error.mistakes;
  const isUsage = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  return isUsage ? [`${error.message}; see --help`] : undefined;
}

/** What is told may be a pod's own words, and a terminal would do what they say: nothing but lines and tabs is left of it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant
const ORDERS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export function print(sink: Sink, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    sink.write(`${lines.join("\n").replace(ORDERS, "\u{fffd}")}\n`, (error) => {
      // Whoever reads may stop reading; the exit status still stands.
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve();
    });
  });
}
