import assert from "node:assert/strict";
import { test } from "node:test";
import { print } from "../../src/policy/io.ts";

test("what a pod says gives no terminal orders; lines and tabs stay", async () => {
  let told = "";
  const sink = {
    write: (text: string, done: () => void) => {
      told += text;
      done();
    },
  };
  await print(sink, ["web\t\u001b]0;title\u0007 \u009b2J\r", "two\nlines: bücher"]);
  assert.equal(told, "web\t\ufffd]0;title\ufffd \ufffd2J\ufffd\ntwo\nlines: bücher\n");
});
