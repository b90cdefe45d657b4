import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fault, inOneLine } from "../src/fault.ts";
import { said } from "../src/iptables.ts";

describe("what iptables says is one line, and names the rule it speaks of", () => {
  const document = "*nat\n-A OUTPUT -j NOWHERE\nCOMMIT\n";
  for (const [stderr, line] of [
    [
      "iptables-nft-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n",
      "Could not fetch rule set generation id: Permission denied (you must be root)",
    ],
    ["iptables-legacy-restore: line 2 failed\n", "line 2 failed (-A OUTPUT -j NOWHERE)"],
    [
      "iptables-restore v1.8.9 (legacy): Couldn't load target `NOWHERE':No such file or directory\n\nError occurred at line: 2\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n",
      "Couldn't load target `NOWHERE':No such file or directory (-A OUTPUT -j NOWHERE)",
    ],
    ["", ""],
  ] as const)
    test(line || "nothing", () =>
      assert.equal(said("iptables-legacy-restore", stderr, document), line),
    );
});

describe("a fault says what to do", () => {
  for (const [words, advice] of [
    [
      "Permission denied (you must be root)",
      /as root with the capabilities NET_ADMIN and NET_RAW$/,
    ],
    ["Could not fetch rule set generation id: Permission denied (you must be root)", /NET_ADMIN/],
    [
      "can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
      /modprobe/,
    ],
    [
      "Another app is currently holding the xtables lock. Stopped waiting after 5s.",
      /another program/,
    ],
    ["line 4 failed", /correct the cause/],
  ] as const)
    test(words, () => assert.match(inOneLine([new Fault("iptables-restore", words)]), advice));
});

test("the same words of several commands are said once, and a missing name only where all are missing", () => {
  const denied = "Permission denied (you must be root)";
  const line = inOneLine([
    new Fault("iptables-legacy-restore", "not found", "absent"),
    new Fault("iptables-nft-save", denied),
    new Fault("iptables-save", denied),
  ]);
  assert.equal(line.split(denied).length, 2);
  assert.doesNotMatch(line, /not found/);
  assert.match(
    inOneLine([new Fault("iptables-restore", "not found", "absent")]),
    /install iptables/,
  );
});
