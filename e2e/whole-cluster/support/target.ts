import { before } from "node:test";
import { app } from "./containers.ts";
import { lacking } from "./given.ts";
import { apply, type Manifest } from "./kubectl.ts";
import { pod } from "./objects.ts";
import { waitFor } from "./waiting.ts";

/** Ports of the Service `target` that all lead to its HTTP: the port dialled tells in a record who it was. */
export const PORTS = [8001, 8002, 8003, 8004, 8005, 8006] as const;
export const SINK = 9090;
export const UDP = 9053;

const service: Manifest = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "target" },
  spec: {
    selector: { app: "target" },
    ipFamilyPolicy: "PreferDualStack",
    ports: [
      ...PORTS.map((port) => ({ name: `http-${port}`, port, targetPort: 8080 })),
      { name: "sink", port: SINK },
      { name: "udp", port: UDP, protocol: "UDP" },
    ],
  },
};

/** A pod without a sidecar, to which the tests' pods connect, and the Service `target` before it (apps/target-main.ts). */
export function targetIn(namespace: string): void {
  before(async () => {
    if (lacking) return;
    const container = app("target", "target-main");
    const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
    const annotations = { "sallyport.dev/inject": "false" };
    const spec = { containers: [{ ...container, readinessProbe }] };
    await apply(namespace, service, pod("target", spec, annotations));
    await waitFor(namespace, "pod/target", "condition=Ready");
  });
}
