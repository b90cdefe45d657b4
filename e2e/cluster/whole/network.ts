import type { Box } from "./box.ts";
import { command } from "./command.ts";
import { ofFamilies, PLAN, withoutPrefix } from "./plan.ts";

/** One way in, from this machine; one way out, into a world that is empty. */
export async function connect(box: Box): Promise<void> {
  const { link, world } = PLAN;
  await setSwitches(box);

  await command(
    ...(["ip", "link", "add", link.name, "type", "veth"] as const),
    ...["peer", "name", "outside", "netns", String(box.pid)],
  );
  await box.run("ip", "netns", "add", world.name);
  await box.run(
    ...["ip", "link", "add", "world", "type", "veth"],
    ...["peer", "name", "node", "netns", world.name],
  );
  const ends = [
    { name: link.name, addresses: link.outside, within: (argv: readonly string[]) => argv },
    { name: "outside", addresses: link.inside, within: inside(box) },
    { name: "world", addresses: world.node, within: inside(box) },
    { name: "node", addresses: world.world, within: inWorld(box) },
  ];
  for (const { name, addresses, within } of ends) {
    for (const address of ofFamilies(box.families, addresses))
      await runIp(within, "address", "add", address, "dev", name, ...nodad(address));
    await runIp(within, "link", "set", name, "up");
  }
  for (const within of [inside(box), inWorld(box)]) await runIp(within, "link", "set", "lo", "up");
  for (const gateway of ofFamilies(box.families, world.world))
    await runIp(
      inside(box),
      ...family(gateway),
      "route",
      "add",
      "default",
      "via",
      withoutPrefix(gateway),
    );
  await masquerade(box);
}

type Within = (argv: readonly string[]) => readonly string[];

const inside =
  (box: Box): Within =>
  (argv) =>
    box.enter(...argv);
const inWorld =
  (box: Box): Within =>
  (argv) =>
    box.enterWorld(...argv);

const family = (address: string) => (address.includes(":") ? ["-6"] : ["-4"]);
/** A link of two ends has no duplicates to detect. */
const nodad = (address: string) => (address.includes(":") ? ["nodad"] : []);

async function runIp(within: Within, ...args: readonly string[]): Promise<void> {
  await command(...(within(["ip", ...args]) as [string, ...string[]]));
}

/** What kubeadm asks of a node: it forwards, and what passes a bridge passes iptables too, as Services need. */
async function setSwitches(box: Box): Promise<void> {
  const switches = [
    "net.ipv4.ip_forward=1",
    "net.bridge.bridge-nf-call-iptables=1",
    ...(box.families === "dual"
      ? ["net.ipv6.conf.all.forwarding=1", "net.bridge.bridge-nf-call-ip6tables=1"]
      : []),
  ];
  await command("modprobe", "br_netfilter").catch(() => undefined); // it may be built in
  for (const each of switches) await box.run("sysctl", "--quiet", "--write", each);
}

/** What leaves the node leaves with the node's address. */
async function masquerade(box: Box): Promise<void> {
  const tables = ofFamilies(box.families, ["iptables", "ip6tables"]);
  for (const [i, table] of tables.entries())
    for (const out of ["world", "outside"])
      await box.run(
        ...[table, "-w", "-t", "nat", "-A", "POSTROUTING", "-s", PLAN.pods[i] ?? ""],
        ...["-o", out, "-j", "MASQUERADE"],
      );
}
