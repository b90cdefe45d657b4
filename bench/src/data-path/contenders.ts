import { API_VERSION, type Destination } from "@sallyport/core/rules";
import { PROXY_CONFIG_ENV, type ProxyConfigInput } from "@sallyport/proxy/contract";
import { NODE_ENVIRONMENT, NODE_FLAGS } from "../sidecar.ts";
import { DESTINATIONS, PORT } from "./bed.ts";
import type { Contender } from "./contender.ts";
import { BARE, DIRECT, OURS } from "./names.ts";
import { peerFile } from "./peer-file.ts";
import { envoy, haproxy, nginxStream, nodeVersion } from "./peers.ts";
import type { Stage } from "./stage.ts";

export function contenders({ node, sidecar, envoy: binary }: Stage): readonly Contender[] {
  return [
    { name: DIRECT, note: "nothing in between: the limit of the bed" },
    sidecarContender(
      OURS,
      "the bundled sidecar, enforcing a rule for TLS at these addresses: the SNI is read before it dials; access log off",
      ruleFor({ cidrs: [DESTINATIONS], ports: [{ port: PORT, protocol: "tls" }] }),
      { node, sidecar },
    ),
    {
      name: "envoy",
      note: "original_dst, tls_inspector, tcp_proxy to an ORIGINAL_DST cluster; one worker",
      ...envoy(binary, (place) => peerFile("envoy.yaml", place)),
    },
    {
      name: "haproxy",
      note: "as it comes; SNI read by req.ssl_sni; one thread",
      ...haproxy((place) => peerFile("haproxy.cfg", place)),
    },
    {
      name: "haproxy-tuned",
      note: "the same with splice both ways and 256 KB pipes",
      ...haproxy((place) => peerFile("haproxy-tuned.cfg", place)),
    },
    {
      name: "nginx",
      note: "stream as it comes; SNI read by ssl_preread; one worker",
      ...nginxStream((place) => peerFile("nginx.conf", place)),
    },
    {
      name: "nginx-64k",
      note: "the same with 64 KB buffers",
      ...nginxStream((place) => peerFile("nginx-64k.conf", place)),
    },
    {
      name: "node-pipe",
      note: "Node's own pipe(), after reading the SNI",
      version: nodeVersion,
      command: (place) => ({
        argv: [node, peerFile("node-pipe.cjs", place), String(place.port), place.destination],
      }),
    },
    {
      name: BARE,
      note: "a Node process that listens and carries nothing",
      carriesNothing: true,
      version: nodeVersion,
      command: (place) => ({ argv: [node, peerFile("bare-net.cjs", place), String(place.port)] }),
    },
  ];
}

/** The sidecar as it is injected, with room for the crowd (the default limit has it), enforcing this policy. */
export function sidecarContender(
  name: string,
  note: string,
  policy: NonNullable<ProxyConfigInput["policy"]>,
  { node, sidecar }: Pick<Stage, "node" | "sidecar">,
): Contender {
  return {
    ...{ name, note, version: nodeVersion, asksJavaScript: true },
    command: ({ port }) => ({
      argv: [node, ...NODE_FLAGS, sidecar],
      env: {
        ...NODE_ENVIRONMENT,
        [PROXY_CONFIG_ENV]: JSON.stringify({
          ports: { outbound: port, admin: 0, ready: 0 },
          policy: { ...policy, mode: "enforce" },
          accessLog: { select: "off" },
        } satisfies ProxyConfigInput),
      },
    }),
  };
}

/** A policy of one rule. */
export function ruleFor(to: Destination): NonNullable<ProxyConfigInput["policy"]> {
  const metadata = { name: "bench" };
  return { rules: [{ apiVersion: API_VERSION, kind: "EgressRule", metadata, spec: { to: [to] } }] };
}
