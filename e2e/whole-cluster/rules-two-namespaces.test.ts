import assert from "node:assert/strict";
import { before, test } from "node:test";
import { idle } from "./support/containers.ts";
import { lacking } from "./support/given.ts";
import { apply, kubectl, list, read, tryKubectl } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { boundaryOver, enforcedIn, httpTo, ruleOf } from "./support/rules.ts";
import { sallyport } from "./support/sallyport.ts";
import { until } from "./support/until.ts";
import { waitFor } from "./support/waiting.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();
const ours = enforcedIn(ownNamespace("rules-ours", ENABLED));
const theirs = enforcedIn(ownNamespace("rules-theirs", ENABLED));
outsideIsThere();

/** Names that are in no message of the other namespace's, and in none of a word's own. */
const OURS = "kestrel";
const THEIRS = "ptarmigan";

const inPod = (namespace: string, ...argv: readonly string[]) =>
  kubectl("exec", "app", "--namespace", namespace, "--", ...argv);
const ask = (namespace: string, url: string) => inPod(namespace, "curl", "-s", url);

before(async () => {
  if (skip) return;
  for (const [namespace, name, host] of [
    [ours, OURS, "api.example.com"],
    [theirs, THEIRS, "web.example.com"],
  ] as const)
    await apply(
      namespace,
      // What nobody reaches tells whose rule is spoken of, wherever it is.
      ruleOf(name, httpTo(host, `${name}.example.org`)),
      pod("app", { containers: [idle()] }, INJECTED),
    );
  for (const namespace of [ours, theirs]) await waitFor(namespace, "pod/app", "condition=Ready");
});

test("each namespace's rules permit its own pods, and no others", { skip }, async () => {
  await until("ours", async () => (await ask(ours, "http://api.example.com/")).startsWith("hello"));
  await until("theirs", async () =>
    (await ask(theirs, "http://web.example.com/")).startsWith("hello"),
  );
  for (const [namespace, url, other] of [
    [ours, "http://web.example.com/", THEIRS],
    [theirs, "http://api.example.com/", OURS],
  ] as const) {
    const refusal = await ask(namespace, url);
    assert.match(refusal, /^sallyport: denied\.no_rule/);
    assert.doesNotMatch(refusal, new RegExp(other));
  }
});

test("neither a snapshot, nor a status, nor an Event, nor what the command line says has anything of the other namespace's", {
  skip,
}, async () => {
  await until("both refusals are told by Events", async () => {
    const told = await Promise.all([ours, theirs].map((each) => refusals(each)));
    return told.every((each) => each.length > 0);
  });
  for (const [namespace, own, other] of [
    [ours, OURS, THEIRS],
    [theirs, THEIRS, OURS],
  ] as const) {
    const said = {
      snapshot: await stdoutOf("stats", "pod/app", "--path", "/config_dump", "-n", namespace),
      policy: await stdoutOf("get", "app", "-n", namespace),
      explanation: await stdoutOf("explain", "app", "nobody.example.org:443", "-n", namespace),
      statuses: JSON.stringify(await read<object>(namespace, "egressrule", own)),
      events: JSON.stringify(await list<object>(namespace, "events")),
    };
    for (const [what, text] of Object.entries(said))
      assert.doesNotMatch(
        text,
        new RegExp(`${other}|rules-${other === OURS ? "ours" : "theirs"}`),
        what,
      );
    for (const what of ["snapshot", "policy", "statuses"] as const)
      assert.match(said[what], new RegExp(own), what);
  }
});

test("the status of a boundary over both has neither's names", { skip }, async () => {
  const { metadata, ...rest } = boundaryOver(ours, {
    namespaceSelector: {
      matchExpressions: [
        { key: "kubernetes.io/metadata.name", operator: "In", values: [ours, theirs] },
      ],
    },
    allow: [httpTo("api.example.com", "web.example.com")],
  });
  const name = "over-both";
  try {
    await apply("default", { ...rest, metadata: { ...metadata, name } } as never);
    await kubectl("wait", "--for=condition=Ready", `egressboundary/${name}`, "--timeout=60s");
    const { status } = await read<{ status: { matchedNamespaces: number } }>(
      "default",
      "egressboundary",
      name,
    );
    assert.equal(status.matchedNamespaces, 2);
    assert.doesNotMatch(
      JSON.stringify(status),
      new RegExp(`${OURS}|${THEIRS}|${ours}|${theirs}|"app"`),
    );
  } finally {
    await kubectl("delete", "egressboundary", name, "--ignore-not-found");
  }
});

test("who may only read one namespace is shown the other's rules by nothing", {
  skip,
}, async () => {
  const as = ["--as", "somebody", "--as-group", "system:authenticated"];
  await kubectl(
    ...["create", "rolebinding", "somebody", "--clusterrole=view", "--user=somebody"],
    ...["--namespace", ours],
  );
  const read = await tryKubectl(["get", "egressrules", "-n", ours, "-o", "name", ...as]);
  assert.match(read.stdout, new RegExp(OURS));
  for (const where of [["-n", theirs], ["--all-namespaces"]]) {
    const { status, stdout, stderr } = await tryKubectl(["get", "egressrules", ...where, ...as]);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /forbidden/);
  }
});

interface Event {
  readonly reason?: string;
}

const refusals = async (namespace: string) =>
  (await list<Event>(namespace, "events")).filter(({ reason }) => reason === "EgressRefused");

const stdoutOf = async (...args: readonly string[]) => (await sallyport(...args)).stdout;
