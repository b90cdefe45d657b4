import { readFileSync } from "node:fs";

/**
 * Calls `onChange` when the file's content is another than `known`, and each time it changes after that; a file that goes
 * away has changed. Gives the function that stops it. It reads and compares: a ConfigMap volume changes by swapping a
 * symbolic link two folders up (`..data`), which inotify on the file never sees, and a comparison with what was used
 * loses no change, however early.
 */
export function watchContent(
  path: string,
  known: string,
  onChange: () => void,
  intervalMs = 500,
): () => void {
  let last: string | undefined = known;
  const look = () => {
    const now = contentOf(path);
    if (now === last) return;
    last = now;
    onChange();
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
