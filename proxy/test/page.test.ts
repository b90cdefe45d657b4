import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  counted,
  formatAge,
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
} from "../page/format.ts";
import { groupsOf, SORTS } from "../page/rows.ts";
import { protectionOf } from "../src/admin/page.ts";
import { countOf, outcomeOf } from "../src/destination-outcome.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

for (const [bytes, text] of [
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 KB"],
  [9_949, "9.9 KB"],
  [9_950, "10 KB"],
  [999_499, "999 KB"],
  [999_500, "1.0 MB"],
  [34_000_000, "34 MB"],
  [1.5e15, "1.5 PB"],
  [9.1e18, "9100 PB"],
] as const)
  test(`${bytes} bytes are ${text}`, () => assert.equal(plain(formatBytes(bytes)), text));

for (const [ms, text] of [
  [-50, "now"],
  [499, "now"],
  [1_000, "1 s ago"],
  [59_400, "59 s ago"],
  [60_000, "1 min ago"],
  [3_599_000, "59 min ago"],
  [3_600_000, "1 h ago"],
  [90_000_000, "1 d ago"],
] as const)
  test(`what was ${ms} ms ago is ${text}`, () => assert.equal(plain(formatAgo(ms)), text));

test("durations have a decimal where that says something", () => {
  assert.deepEqual([0.41, 9.94, 9.95, 208.65, 1_400, 61_000].map(formatDuration).map(plain), [
    "0.4 ms",
    "9.9 ms",
    "10 ms",
    "209 ms",
    "1 s",
    "1 min",
  ]);
});

test("large counts are grouped, and one is no plural", () => {
  assert.equal(plain(formatCount(1_234_567)), "1 234 567");
  assert.deepEqual([counted(1, "request"), counted(2, "request")], ["1 request", "2 requests"]);
});

test("a figure of bytes or time has three digits at most and never an exponent, up to a petabyte and a year", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 400_000 }), (a, b) => {
      assert.match(plain(formatBytes(a * b)), /^(\d{1,3}|\d\.\d) [KMGT]?B$/);
      assert.match(plain(formatAge(a * 14)), /^(now|\d{1,3} (s|min|h|d))$/);
    }),
    { seed: 5 },
  );
});

const row = (more: Partial<DestinationSummary>): DestinationSummary => ({
  ...{ id: 1, name: "www.example.com", address: "93.184.216.34", port: 443, protocol: "tls" },
  ...{ reason: "allowed.rule", rule: "shop/api", open: 0, connections: 1, requests: 0 },
  ...{ bytes_sent: 0, bytes_received: 0, first_time: "2026-01-01T00:00:00.000Z" },
  ...more,
});

for (const [reason, outcome] of [
  ["allowed.rule", "allowed"],
  ["allowed.cluster", "allowed"],
  ["allowed.audit", "would_be_refused"],
  ["denied.no_rule", "refused"],
  ["revoked", "refused"],
  ["failed.connect_refused", "failed"],
  ["failed.dns", "failed"],
] as const)
  test(`${reason} stands among the ${outcome}`, () =>
    assert.equal(outcomeOf(row({ reason })), outcome));

test("what was refused stands first, what was allowed last, and no group is empty", () => {
  const rows = [
    row({ id: 1 }),
    row({ id: 2, reason: "failed.dns" }),
    row({ id: 3, reason: "denied.no_rule" }),
    row({ id: 4, reason: "allowed.audit" }),
  ];
  assert.deepEqual(
    groupsOf(rows, "", "name").map(({ outcome, rows: [first] }) => [outcome, first?.id]),
    [
      ["refused", 3],
      ["would_be_refused", 4],
      ["failed", 2],
      ["allowed", 1],
    ],
  );
  assert.deepEqual(groupsOf([], "", "name"), []);
});

test("a filter's words must all be found, in whatever a row shows", () => {
  const rows = [
    row({ id: 1, name: "api.example.com", rule: "shop/api" }),
    row({ id: 2, name: "tracker.example.org", reason: "denied.no_rule", nearest: "shop/web" }),
    row({ id: 3, name: "db.example.net", port: 5432, last_status: 503 }),
  ];
  const found = (filter: string) =>
    groupsOf(rows, filter, "name").flatMap((group) => group.rows.map(({ id }) => id));
  for (const [filter, ids] of [
    ["", [2, 1, 3]],
    ["  EXAMPLE.com ", [1]],
    ["example :5432", [3]],
    ["refused", [2]],
    ["denied.no_rule shop/web", [2]],
    ["503", [3]],
    ["93.184", [2, 1, 3]],
    ["api.example tracker", []],
  ] as const)
    assert.deepEqual(found(filter), ids, filter);
});

test("each order is by its figure, and where that is even by name", () => {
  const rows = [
    row({ id: 1, name: "b", bytes_sent: 5, last_time: "2026-01-01T00:00:05.000Z" }),
    row({ id: 2, name: "a", bytes_sent: 5, connections: 9, last_time: "2026-01-01T00:00:04.000Z" }),
    row({ id: 3, name: "c", bytes_sent: 9, bytes_received: 9, open: 1 }),
  ];
  const order = (sort: (typeof SORTS)[number]) =>
    groupsOf(rows, "", sort).flatMap((group) => group.rows.map(({ id }) => id));
  assert.deepEqual(Object.fromEntries(SORTS.map((sort) => [sort, order(sort)])), {
    name: [2, 1, 3],
    last: [3, 1, 2],
    count: [2, 3, 1],
    sent: [3, 2, 1],
    received: [3, 2, 1],
  });
});

test("requests count where there are any, otherwise connections, the open ones too", () => {
  assert.equal(countOf(row({ requests: 7, connections: 0, open: 2 })), 7);
  assert.equal(countOf(row({ connections: 3, open: 2 })), 5);
});

test("the page's own script and style may run, by their hashes, and nothing else", () => {
  const { "content-security-policy": policy } = protectionOf(
    "<style>a{}</style><script>\nb()\n</script>",
    createHash,
  );
  // printf '\nb()\n' | openssl dgst -sha256 -binary | base64
  assert.match(policy ?? "", /script-src 'sha256-NlXKTQe8YfLmZqnEm5aXK1Lb\/1wWgkKgNs\+lNRY6yOo=';/);
  assert.match(policy ?? "", /style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk=';/);
  assert.match(policy ?? "", /^default-src 'none';/);
  assert.doesNotMatch(policy ?? "", /unsafe|\*/);
});
