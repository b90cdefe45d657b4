import { API_VERSION } from "@sallyport/core/rules";
import { PROXY_CONFIG_ENV, type ProxyConfigInput } from "@sallyport/proxy/contract";
import { DESTINATIONS } from "../data-path/bed.ts";
import type { Contender } from "../data-path/contender.ts";
import { type Place, peerFile } from "../data-path/peer-file.ts";
import { envoy, haproxy, nginx, nodeVersion } from "../data-path/peers.ts";
import { NODE_ENVIRONMENT, NODE_FLAGS } from "../sidecar.ts";
import { DIRECT, HOST, OURS, OURS_UNLOGGED, PORTS } from "./names.ts";
import type { HttpStage } from "./stage.ts";

/** Where the sidecar asks for HOST: at the near end, in the bed. */
export const RESOLVER = { address: "127.0.0.1", port: 5_300 } as const;

/** Without `ca`, plain HTTP on both sides; with it, TLS verified against it on the far side alone. */
export function contenders(stage: HttpStage, ca?: string): readonly Contender[] {
  const file = (name: string) => (place: Place) =>
    peerFile(`http/${ca ? name.replace(".", "-tls.") : name}`, place, { HOST, CA: ca ?? "" });
  const tls = ca ? "; TLS upstream, verified" : "";
  return [
    ...(ca ? [] : [{ name: DIRECT, note: "nothing in between: the limit of the bed" }]),
    sidecar(OURS, `the bundled sidecar, a rule for the name${tls}; every request recorded`, "all", {
      ...{ stage, ca },
    }),
    sidecar(OURS_UNLOGGED, `the same${tls}; access log off`, "off", { stage, ca }),
    {
      name: "nginx",
      note: `one worker, a pool of upstream connections, bodies kept off the disk${tls}`,
      ...nginx(file("nginx.conf")),
    },
    ...(ca
      ? []
      : [
          {
            name: "nginx-64k",
            note: "the same with 64 KB buffers",
            ...nginx(file("nginx-64k.conf")),
          },
        ]),
    {
      name: "haproxy",
      note: `one thread, mode http, http-reuse always${ca ? tls : "; splice both ways, 256 KB pipes"}`,
      ...haproxy(file("haproxy.cfg")),
    },
    {
      name: "envoy",
      note: `one worker, original_dst, http_connection_manager, an ORIGINAL_DST cluster${tls}`,
      ...envoy(stage.envoy, file("envoy.yaml")),
    },
    httpProxy(`http-proxy-3 with nothing around it, a keep-alive agent${tls}`, stage, ca),
  ];
}

type Select = NonNullable<ProxyConfigInput["accessLog"]>["select"];

/** The destinations are for documentation, and so special: the name is given with its range. */
function sidecar(
  name: string,
  note: string,
  select: Select,
  { stage, ca }: { readonly stage: HttpStage; readonly ca: string | undefined },
): Contender {
  const port = ca
    ? ({ port: PORTS.https, protocol: "https" } as const)
    : ({ port: PORTS.http, protocol: "http" } as const);
  const to = [{ hosts: [HOST], cidrs: [DESTINATIONS], ports: [port] }];
  const metadata = { name: "bench" };
  return {
    ...{ name, note, version: nodeVersion, asksJavaScript: true },
    command: ({ port: outbound }) => ({
      argv: [stage.node, ...NODE_FLAGS, stage.sidecar],
      writesRecords: select !== "off",
      env: {
        ...NODE_ENVIRONMENT,
        [PROXY_CONFIG_ENV]: JSON.stringify({
          ports: { outbound, admin: 0, ready: 0 },
          policy: {
            mode: "enforce",
            resolvers: [`${RESOLVER.address}:${RESOLVER.port}`],
            rules: [{ apiVersion: API_VERSION, kind: "EgressRule", metadata, spec: { to } }],
          },
          accessLog: { select },
          ...(ca && { upstreamTls: { caFiles: [ca] } }),
        } satisfies ProxyConfigInput),
      },
    }),
  };
}

function httpProxy(
  note: string,
  { node, httpProxy }: HttpStage,
  ca: string | undefined,
): Contender {
  return {
    ...{ name: "http-proxy-3", note, version: nodeVersion },
    missing: httpProxy ? undefined : "npm install",
    command: ({ port, destination }) => ({
      argv: [
        ...[node, httpProxy ?? "", String(port)],
        ...(ca
          ? [`https://${destination}:${PORTS.https}`]
          : [`http://${destination}:${PORTS.http}`]),
        ...[HOST, ...(ca ? [ca] : [])],
      ],
    }),
  };
}
