import assert from "node:assert/strict";
import { test } from "node:test";
import type { DestinationLine } from "@sallyport/cli/fleet/traffic";
import type { RecordLine } from "@sallyport/cli/policy/record-lines";
import { weigh } from "@sallyport/cli/simulate/weighed";
import { Destinations } from "@sallyport/proxy/destinations";
import fc from "fast-check";
import { record } from "../../../proxy/test/support/record.ts";

const others = { connections: 0, requests: 0 };
const api: DestinationLine = {
  ...{ name: "api.example.com", address: "93.184.216.34", port: 443, protocol: "tls" },
  ...{ reason: "allowed.rule", rule: "shop/api", open: 0, connections: 5, requests: 0 },
  first_time: "2026-01-01T00:00:00.000Z",
};
const of = (more: Partial<RecordLine> = {}): RecordLine => ({
  ...{ time: "2026-01-01T00:01:00.000Z", namespace: "shop", verdict: "allow" },
  ...{ reason: "allowed.rule", rule: "shop/api", name: "api.example.com", name_source: "sni" },
  ...{ protocol: "tls", original_address: "93.184.216.34", original_port: 443 },
  ...more,
});

test("the last records count one each, and the newest stands for those before them", () => {
  const [newest, older] = [
    of({ resolved: ["93.184.216.34"] }),
    of({ resolved: ["93.184.216.35"] }),
  ];
  const { request: _, ...connection } = newest;
  assert.deepEqual(weigh("shop", { destinations: [api], others }, [newest, older]), [
    { record: newest, times: 1 },
    { record: older, times: 1 },
    { record: connection, times: 3 },
  ]);
});

test("of a destination whose records are forgotten its row is the record", () => {
  const [{ record: made, times } = { record: undefined, times: 0 }, ...more] = weigh(
    "shop",
    { destinations: [api], others },
    [],
  );
  assert.deepEqual([times, more], [5, []]);
  assert.equal(made?.name, "api.example.com");
  assert.equal(made?.verdict, "allow");
});

test("a name beside opaque bytes was never said", () => {
  const opaque = { ...api, protocol: "opaque" as const, port: 5432 };
  const [first] = weigh("shop", { destinations: [opaque], others }, []);
  assert.equal(first?.record.name_source, "dns");
});

test("however many records a sidecar keeps, every connection and request counts once", () => {
  const one = fc.record({
    name: fc.constantFrom("a.example.com", "b.example.com", undefined),
    request: fc.constantFrom(undefined, 1, 2),
    reason: fc.constantFrom("allowed.rule", "denied.no_rule"),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), fc.nat(40), (seen, kept) => {
      const destinations = new Destinations();
      const records = seen.map((more) => record(more as object));
      for (const each of records) destinations.add(each);
      const rows = destinations.collect([]) as unknown as DestinationLine[];
      const last = records.slice(-kept || records.length).reverse() as unknown as RecordLine[];
      const weighed = weigh("shop", { destinations: rows, others }, last);
      const sum = (isRequest: boolean) =>
        weighed
          .filter((each) => (each.record.request !== undefined) === isRequest)
          .reduce((total, { times }) => total + times, 0);
      const requests = seen.filter(({ request }) => request !== undefined).length;
      assert.deepEqual([sum(false), sum(true)], [seen.length - requests, requests]);
    }),
  );
});
