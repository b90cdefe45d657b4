import { PORTS } from "@sallyport/proxy/contract";
import type { Access } from "../kubernetes/access.ts";
import { openTunnel } from "../kubernetes/port-forward.ts";
import { InventoryReader } from "./inventory.ts";
import { LiveFleet } from "./live-fleet.ts";
import { readPageFile } from "./page-file.ts";
import { podPages } from "./pod-pages.ts";
import { type Dashboard, serveDashboard } from "./server.ts";
import { Tunnels } from "./tunnels.ts";

const CONNECT_MS = 10_000;

/** Everything of the dashboard, wired. `namespace`: that one alone, otherwise all. */
export async function startDashboard(
  { config, rest }: Pick<Access, "config" | "rest">,
  { port, namespace }: { readonly port: number; readonly namespace: string | undefined },
): Promise<Dashboard> {
  const page = readPageFile();
  const tunnels = new Tunnels(({ namespace, name }) =>
    openTunnel(config, { namespace, pod: name, port: PORTS.admin }, CONNECT_MS),
  );
  const fleet = new LiveFleet(new InventoryReader(rest, namespace), tunnels, {
    context: config.getCurrentContext(),
    server: rest.server,
  });
  const dashboard = await serveDashboard(port, { fleet, page, pages: podPages(tunnels) });
  return {
    port: dashboard.port,
    close: async () => {
      fleet.close();
      await dashboard.close();
    },
  };
}
