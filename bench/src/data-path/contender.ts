import type { Place } from "./peer-file.ts";

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It writes its records to standard output, and they are read there, as a node does. */
  readonly writesRecords?: boolean;
}

export interface Contender {
  readonly name: string;
  /** What it does, as the report says it. */
  readonly note: string;
  readonly version?: () => string;
  /** Absent where nothing stands between client and server. */
  readonly command?: (place: Place) => Command;
  /** True of a process that listens and carries nothing. */
  readonly carriesNothing?: boolean;
  /** True where JavaScript, on the process's first thread, is asked about every connection. */
  readonly asksJavaScript?: boolean;
  /** The one line that gets what is missing here. */
  readonly missing?: string | undefined;
}
