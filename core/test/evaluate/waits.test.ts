import { table, to } from "../cases.ts";

const A = "8.8.8.1";

table(
  "what is allowed by its address is not looked at",
  { rules: [to("8.8.8.1/32 3306 tcp"), to("a.test 3306 tls")] },
  {},
  [
    [`${A}:3306`, `allowed.rule → ${A}`],
    ["8.8.8.2:3306", "needs_name"],
  ],
);
table(
  "what no name could permit is not looked at",
  {
    rules: [to("a.test 443 tls"), to("10.0.0.0/8 80 http")],
    deny: [to("9.9.9.9/32 443 tcp"), to("evil.test 80 tls")],
  },
  {},
  [
    [`${A}:3306`, "denied.no_rule", "nobody speaks of the port"],
    ["9.9.9.9:443", "denied.boundary by guard"],
    [`${A}:80`, "denied.no_rule", "only a deny speaks of names there"],
    ["10.0.0.1:80", "needs_name"],
  ],
);
table(
  "a ceiling's names are waited for only where a rule permits",
  { rules: [to("8.8.8.1/32 443 tcp")], allow: [to("a.test 443 tls")] },
  {},
  [
    [`${A}:443`, "needs_name"],
    ["8.8.8.2:443", "denied.no_rule"],
    ["8.8.8.2:443 sni a.test", "denied.no_rule", "nor is the name resolved"],
  ],
);
table(
  "names with tcp are resolved before the app is waited for",
  { rules: [to("db.test 5432 tcp"), to("a.test 5432 tls")] },
  {},
  [[`${A}:5432`, "needs_addresses db.test"]],
);
table(
  "and where they match, it is not waited for at all",
  { rules: [to("db.test 5432 tcp"), to("a.test 5432 tls")] },
  { "db.test": [A] },
  [
    [`${A}:5432`, `allowed.rule → ${A}`],
    ["8.8.8.2:5432", "needs_name"],
  ],
);
table(
  "an address that is permitted waits for no name with tcp",
  { rules: [to("db.test 5432 tcp"), to("8.8.8.1/32 5432 tcp")] },
  {},
  [[`${A}:5432`, `allowed.rule → ${A}`]],
);
table(
  "no name is resolved but those that a list speaks of",
  { rules: [to("a.test 443 tls"), to("b.test 443 http")] },
  {},
  [
    [`${A}:443 sni a.test`, "needs_addresses a.test"],
    [`${A}:443 sni other.test`, "denied.no_rule"],
    [`${A}:443 sni b.test`, "denied.protocol", "spoken of, for another protocol"],
  ],
);
