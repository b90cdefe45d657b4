import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { watchContent } from "../src/watch.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The changes seen, and a promise of the next one. */
function watch(t: TestContext, path: string, known: string) {
  let seen = 0;
  let wake = () => {};
  const stop = watchContent(
    path,
    known,
    () => {
      seen += 1;
      wake();
    },
    10,
  );
  t.after(stop);
  return {
    stop,
    seen: () => seen,
    next: () =>
      new Promise<void>((resolve) => {
        const alive = setTimeout(() => {}, 60_000);
        wake = () => {
          clearTimeout(alive);
          resolve();
        };
      }),
  };
}

test("a file written in place, replaced, gone and back is seen each time", async (t) => {
  const path = join(folderOf(t), "config.json");
  writeFileSync(path, "1");
  const { next } = watch(t, path, "1");
  let changed = next();
  writeFileSync(path, "2");
  await changed;
  changed = next();
  writeFileSync(`${path}.new`, "3");
  renameSync(`${path}.new`, path);
  await changed;
  changed = next();
  unlinkSync(path);
  await changed;
  changed = next();
  writeFileSync(path, "3");
  await changed;
});

test("a ConfigMap volume's change, a swap of the ..data link, is seen", async (t) => {
  const folder = folderOf(t);
  // As kubelet's AtomicWriter lays it out: config.json → ..data/config.json, ..data → ..<timestamp>.
  for (const version of ["1", "2"]) {
    mkdirSync(join(folder, `..${version}`));
    writeFileSync(join(folder, `..${version}`, "config.json"), version);
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync("..data/config.json", join(folder, "config.json"));
  const { next } = watch(t, join(folder, "config.json"), "1");
  const changed = next();
  symlinkSync("..2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await changed;
});

test("a change made between the first reading and the watching is not lost", async (t) => {
  const path = join(folderOf(t), "config.json");
  writeFileSync(path, "newer");
  await watch(t, path, "older").next();
});

test("the same content written again is no change, and what is stopped sees none", async (t) => {
  const folder = folderOf(t);
  const path = join(folder, "config.json");
  writeFileSync(path, "1");
  const other = join(folder, "other.json");
  writeFileSync(other, "1");
  const still = watch(t, path, "1");
  const stopped = watch(t, other, "1");
  stopped.stop();
  const marker = watch(t, join(folder, "marker"), "absent, so a change");
  writeFileSync(path, "1");
  writeFileSync(other, "2");
  await marker.next();
  const looked = watch(t, other, "1");
  await looked.next();
  assert.deepEqual([still.seen(), stopped.seen()], [0, 0]);
});
