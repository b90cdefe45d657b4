import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { type Commands, commandsAt, takeKinds } from "./chart-commands.ts";
import { type Installation, install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { until } from "./until.ts";

const BOUNDARY = (namespace: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: EgressBoundary
metadata: { name: payments }
spec:
  namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${namespace} } }
  injection: required
  workloadOverrides: [include-outbound-ports]
`;
const BY_PAYMENTS = /the sidecar is required by EgressBoundary payments/;
const INJECT = "sallyport.dev/inject";
const QUIET = { runAsNonRoot: true };

const podOf = (name: string, annotations: object, spec: object = {}) =>
  JSON.stringify({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, annotations } },
    spec: { containers: [{ name: "app", image: "app", securityContext: QUIET }], ...spec },
  });

// Of its own: a boundary is the whole cluster's.
describe("pods under a boundary that requires the sidecar", {
  skip: lackingApiServer() || lackingHelm(),
}, () => {
  let server: OwnApiServer;
  let commands: Commands;
  let installation: Installation;
  before(async () => {
    server = await startApiServer();
    commands = commandsAt(server.kubeconfig);
    await takeKinds(commands);
    installation = await install(server);
    await installation.replica(["--policy-port", "0"]);
    // Until the webhooks guard.
    await until(
      "a pod gets a sidecar",
      () => create("first", {}),
      ({ stdout }) => stdout.includes("sallyport-proxy"),
    );
  });
  after(async () => {
    await installation?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  const create = (name: string, annotations: object, spec?: object) =>
    commands.kubectl(
      ["create", "--dry-run=server", "-o", "yaml", "--namespace", installation.pods, "-f", "-"],
      podOf(name, annotations, spec),
    );
  const optedOut = () => create("out", { [INJECT]: "false" });

  test("where there is none, a pod goes without a sidecar if it says so, and past it if it says that", async () => {
    assert.doesNotMatch((await optedOut()).stdout, /sallyport-proxy/);
    const bypass = await create("bypass", { "sallyport.dev/exclude-outbound-ports": "5432" });
    assert.equal(bypass.status, 0, bypass.stderr);
    const running = podOf("running", { [INJECT]: "false" });
    const made = await commands.kubectl(
      ["create", "--namespace", installation.pods, "-f", "-"],
      running,
    );
    assert.equal(made.status, 0, made.stderr);
  });

  test("where one requires it, no pod goes without, and whoever says otherwise is told by whom", async () => {
    assert.equal(
      (await commands.kubectl(["apply", "-f", "-"], BOUNDARY(installation.pods))).status,
      0,
    );
    const injected = await until("the controller knows it", optedOut, ({ stdout }) =>
      stdout.includes("sallyport-proxy"),
    );
    assert.match(
      injected.stderr,
      /^Warning: annotation sallyport\.dev\/inject: "false" is ignored/,
    );
    assert.match(injected.stderr, BY_PAYMENTS);
    for (const [spec, said] of [
      [{ hostNetwork: true }, /the pod uses hostNetwork/],
      [{ containers: [{ name: "app", image: "app" }] }, /app may run as root/],
    ] as const) {
      const { status, stderr } = await create("other", { [INJECT]: "false" }, spec);
      assert.notEqual(status, 0);
      assert.match(stderr, said);
      assert.match(stderr, BY_PAYMENTS);
    }
  });

  test("a bypass annotation that it does not permit is refused, with the ones that it does", async () => {
    const bypass = await create("bypass", { "sallyport.dev/exclude-outbound-ports": "5432" });
    assert.match(
      bypass.stderr,
      /annotation sallyport\.dev\/exclude-outbound-ports: not permitted by EgressBoundary payments; permitted here: sallyport\.dev\/include-outbound-ports/,
    );
    const permitted = await create("bypass", { "sallyport.dev/include-outbound-ports": "443" });
    assert.equal(permitted.status, 0, permitted.stderr);
  });

  test("a pod that was there before is told of as one that misses its sidecar", async () => {
    await until(
      "an Event",
      () => commands.get("events", "--namespace", installation.pods, "-o", "yaml"),
      (events) => /a boundary requires it/.test(events) && /name: running/.test(events),
      60,
    );
  });

  test("once it is gone, a pod's wish counts again", async () => {
    await commands.kubectl(["delete", "egressboundary", "payments"]);
    await until(
      "the controller knows it",
      optedOut,
      ({ stdout }) => stdout.includes("name: out") && !stdout.includes("sallyport-proxy"),
    );
  });
});
