import { table, to } from "../cases.ts";

const [A, B, C] = ["8.8.8.1", "8.8.8.2", "8.8.8.3"];
const resolved = {
  "www.a.test": [A, B],
  "x.y.a.test": [A],
  "a.test": [A],
  "b.test": [B],
  "none.b.test": [],
  "inside.test": ["10.20.0.5"],
  "both.test": ["10.20.0.5", C],
};

table("a wildcard stands for one or more labels", { rules: [to("*.a.test 443 tls")] }, resolved, [
  [`${A}:443 sni www.a.test`, `allowed.rule → ${A}, ${B}`],
  [`${A}:443 sni x.y.a.test`, `allowed.rule → ${A}`],
  [`${A}:443 sni a.test`, "denied.no_rule", "the bare suffix"],
  [`${A}:443 sni wwwa.test`, "denied.no_rule", "not a whole label"],
  [`${A}:443 sni www.a.test.evil.test`, "denied.no_rule", "a suffix in the middle"],
  [`${A}:80 sni www.a.test`, "denied.no_rule", "another port"],
]);

table("an exact name is that name", { rules: [to("B.Test. 443 tls")] }, resolved, [
  [`${B}:443 sni b.test`, `allowed.rule → ${B}`, "written in capitals, with a trailing dot"],
  [`${B}:443 sni none.b.test`, "denied.no_rule", "a name below it"],
  [`${B}:443 tls`, "denied.name_missing"],
  [`${B}:443 invalid 8.8.8.2`, "denied.name_invalid"],
  [`${B}:443 malformed two server names`, "denied.malformed"],
  [`${B}:443 opaque`, "denied.protocol"],
  [`${B}:443 http2`, "denied.protocol"],
  [`${B}:443 silent`, "denied.name_missing"],
  [`${B}:443 host b.test`, "denied.protocol"],
]);

table(
  "names are never taken on trust",
  { rules: [to("www.a.test,none.b.test 443 tls")] },
  resolved,
  [
    [`${A}:443 sni www.a.test`, `allowed.rule → ${A}, ${B}`, "the original one first"],
    [`${B}:443 sni www.a.test`, `allowed.rule → ${B}, ${A}`, "the original one first"],
    [`6.6.6.6:443 sni www.a.test`, `allowed.rule → ${A}, ${B}`, "a hostile address is not dialled"],
    [`6.6.6.6:443 sni none.b.test`, "failed.dns", "a name without any address"],
    [`not-an-address:443 sni www.a.test`, "denied.no_rule"],
  ],
);

table(
  "a name alone leads to public addresses",
  { rules: [to("inside.test,both.test 443 tls")] },
  resolved,
  [
    [`10.20.0.5:443 sni inside.test`, "denied.private_address"],
    [`${C}:443 sni inside.test`, "denied.private_address", "rebinding"],
    [`10.20.0.5:443 sni both.test`, `allowed.rule → ${C}`, "by its public address alone"],
  ],
);

table(
  "hosts and cidrs are that name at those addresses",
  { rules: [to("inside.test,both.test,b.test,10.20.0.0/16 443 tls")] },
  resolved,
  [
    [`10.20.0.5:443 sni inside.test`, "allowed.rule → 10.20.0.5"],
    [`10.20.0.5:443 sni both.test`, "allowed.rule → 10.20.0.5", "and not by the public address"],
    [`${B}:443 sni b.test`, "denied.no_rule", "outside the cidrs"],
    [`10.20.0.5:443 tls`, "denied.name_missing", "the address alone does not do"],
  ],
);

table(
  "http matches the Host, https either",
  {
    rules: [to("a.test 80 http"), to("b.test 443 https")],
  },
  resolved,
  [
    [`${A}:80 host a.test`, `allowed.rule → ${A}`],
    [`${A}:80 sni a.test`, "denied.protocol"],
    [`${B}:443 sni b.test`, `allowed.rule → ${B}`, "TLS is passed through, never encrypted twice"],
    [`${B}:443 host b.test`, `allowed.rule → ${B}, as TLS`],
  ],
);

const kept = { "db.test": [A], "x.test": [B], "db-inside.test": ["10.20.0.5"] };
table(
  "a name with tcp is matched by our own answers",
  {
    rules: [
      to("db.test 5432 tcp"),
      to("db-inside.test 5433 tcp"),
      to("db-inside.test,10.20.0.0/16 5434 tcp"),
    ],
  },
  kept,
  [
    [`${A}:5432`, `allowed.rule → ${A}`, "and nothing is waited for"],
    [`${A}:5432 sni x.test`, `allowed.rule → ${A}`, "whatever is spoken"],
    [`${B}:5432`, "denied.stale_address"],
    [`${B}:5432 sni db.test`, "denied.stale_address", "the app's word is nothing to it"],
    [`10.20.0.5:5433`, "denied.private_address"],
    [`10.20.0.5:5434`, "allowed.rule → 10.20.0.5"],
  ],
);
table(
  "the other addresses of a name with tcp stand in for the one that was dialled",
  {
    rules: [to("many.test,one.test 5432 tcp"), to(`${A}/32 5433 tcp`), to("many.test 5433 tcp")],
    deny: [to("8.8.4.4/32 5432 tcp")],
  },
  { "many.test": [A, "8.8.4.4", "9.9.9.9", "10.20.0.5"], "one.test": ["9.9.9.9"] },
  [
    [`${A}:5432`, `allowed.rule → ${A}, 9.9.9.9`, "those that are denied or lie inside do not"],
    ["9.9.9.9:5432", "allowed.rule → 9.9.9.9", "nobody knows which of two names was meant"],
  ],
);
table("a name with tcp has to be resolved", { rules: [to("db.test 5432 tcp")] }, {}, [
  [`${A}:5432`, "needs_addresses db.test"],
  [`${A}:5433`, "denied.no_rule"],
]);

table(
  "protocol without a name",
  { rules: [to("8.8.8.0/24 443 tls"), to("8.8.8.0/24 80 https")] },
  resolved,
  [
    [`${A}:443`, "needs_name"],
    [`${A}:443 tls`, `allowed.rule → ${A}`],
    [`${A}:443 sni b.test`, `allowed.rule → ${A}`, "a name that nobody speaks of changes nothing"],
    [`${A}:443 invalid 8.8.8.1`, `allowed.rule → ${A}`],
    [`${A}:443 malformed two server names`, "denied.malformed", "what is not whole is no TLS"],
    [`${A}:443 silent`, "denied.protocol"],
    [`${A}:443 host b.test`, "denied.protocol"],
    [`${A}:80 host b.test`, `allowed.rule → ${A}, as TLS`],
    ["9.9.9.9:443", "denied.no_rule", "and is not looked at"],
  ],
);
