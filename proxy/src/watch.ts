import { readFileSync, unwatchFile, watchFile } from "node:fs";

/**
 * Calls `onChange` when the file's content changes or the file comes or goes; gives the function that stops it. It polls:
 * a ConfigMap volume changes by swapping a symbolic link two folders up (`..data`), which inotify on the file never sees.
 */
export function watchContent(path: string, onChange: () => void, intervalMs = 500): () => void {
  const content = () => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  let last = content();
  const listener = () => {
    const now = content();
    if (now === last) return;
    last = now;
    onChange();
  };
  watchFile(path, { interval: intervalMs, persistent: false }, listener);
  return () => unwatchFile(path, listener);
}
