import { test } from "node:test";
import { RelayBed } from "./bed.ts";
import { arrivedOn } from "./origin.ts";
test("try", async (t) => {
  const bed = await RelayBed.open(t, {http:{idleUpstreams:0}});
  const app = await bed.connect();
  await app.say("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET /m HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  console.log(await app.ended(), bed.origin.visits.map((v)=>String(v.bytes)), bed.records);
  console.log(bed.origin.visits.map(arrivedOn));
  const app2 = await bed.connect();
  await app2.say("GET /a HTTP/1.1\r\nHost: c.example\r\n\r\n", "GET /m HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  console.log(await app2.ended());
});
