import { parseAddress, parseCidr } from "@sallyport/core/address";
import { parsePort } from "@sallyport/core/ports";
import * as z from "zod";

/**
 * What init reads, from `SALLYPORT_INIT_CONFIG` (JSON text) or `--config FILE`. The controller writes it in these
 * types; nothing here is known anywhere else.
 */
export const INIT_CONFIG_ENV = "SALLYPORT_INIT_CONFIG";

const CidrText = z.string().superRefine((text, context) => {
  const cidr = parseCidr(text);
  if (cidr instanceof Error) context.addIssue({ code: "custom", message: cidr.message });
});

const AddressText = z
  .string()
  .refine((text) => parseAddress(text) !== undefined, "expected an IPv4 or IPv6 address");

const Port = z
  .int()
  .refine((port) => parsePort(String(port)) !== undefined, "expected a port from 1 to 65535");

/** 0 is root, which the sidecar never is: matching it would let every root process past the redirect. */
const Id = z.int().min(1).max(0xffff_fffe);

export const InitConfig = z.strictObject({
  /** The version that has written it. Whatever that is, all of it must be understood: what leaves depends on it. */
  madeBy: z.string().optional(),
  /** Where the sidecar listens on 127.0.0.1 and [::1]. */
  proxyPort: Port.default(15_001),
  /** Packets of this user *and* this group are the sidecar's own. */
  proxyUid: Id,
  proxyGid: Id,
  /**
   * Where either list is given, only TCP to one of these ranges or one of these ports is redirected (their union) and
   * the rest of TCP leaves directly; where neither is, all TCP is redirected.
   */
  includeCidrs: z.array(CidrText).optional(),
  includePorts: z.array(Port).optional(),
  /** Never redirected, any protocol may leave to them; win over what is included. */
  excludeCidrs: z.array(CidrText).default([]),
  /** TCP ports never redirected; win over what is included. */
  excludePorts: z.array(Port).default([]),
  /** DNS servers: 53/udp and 53/tcp to them leave directly. */
  resolvers: z.array(AddressText).default([]),
  /** Pod and Service ranges: UDP inside them leaves directly. */
  clusterCidrs: z.array(CidrText).default([]),
  /** UDP to the rest of the world: `reject` makes QUIC fall back to TCP at once. */
  outsideUdp: z.enum(["reject", "allow"]).default("reject"),
  /** `reject`: every packet of the family is refused, but loopback, the sidecar's own and neighbour discovery. */
  ipv4: z.enum(["redirect", "reject"]).default("redirect"),
  ipv6: z.enum(["redirect", "reject"]).default("redirect"),
});
export type InitConfig = z.output<typeof InitConfig>;
export type InitConfigInput = z.input<typeof InitConfig>;
