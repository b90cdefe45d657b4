import { type Notes, under } from "./notes.ts";

/** The words of parseHostPattern (core/src/hostname.ts), as far as CEL goes. */
const HOST = {
  rule: "self.startsWith('*.') ? !self.substring(2).contains('*') : !self.contains('*')",
  message: "a wildcard stands for whole labels at the front only, as in *.example.com",
  messageExpression: `self == '*' ? '"*" is no host: for any public destination write cidrs: ["0.0.0.0/0", "::/0"]' : '"' + self + '" is not a host: a wildcard stands for whole labels at the front only, as in *.example.com'`,
};
/** Of parseCidr (core/src/address.ts). CEL's own isCIDR is there from Kubernetes 1.31 on. */
const CIDR = {
  rule: "self.matches('^[0-9A-Fa-f.:]+(/[0-9]+)?$')",
  message: "not a CIDR: expected for example 10.0.0.0/8 or 2001:db8::/32",
  messageExpression: `'"' + self + '" is not a CIDR: expected for example 10.0.0.0/8 or 2001:db8::/32'`,
};

const PORTS: Notes = {
  "": {
    says: "On which ports, and what is spoken there. One of them has to hold.",
    most: 32,
  },
  "[]": {
    rules: [
      {
        rule: "!has(self.endPort) || self.endPort >= self.port",
        message: "endPort is below port: expected the last port of the range",
        fieldPath: ".endPort",
      },
    ],
  },
  "[].port": { says: "The port, or the first one of a range that ends with endPort." },
  "[].endPort": { says: "The last port of the range. Absent: port alone." },
  "[].protocol": {
    says: "What the app speaks there. tls: TLS to the destination itself, matched by the server name of its ClientHello (SNI). http: HTTP/1, each request matched by its Host. https: TLS as for tls; or HTTP, for which the sidecar speaks verified TLS to the destination. tcp: anything, matched by address and port, of hosts by what their names resolve to; nothing is waited for.",
  },
};

/** An entry of a rule's `to`, or of a boundary's lists. */
const DESTINATION: Notes = {
  "[]": {
    rules: [
      {
        rule: "has(self.hosts) || has(self.cidrs)",
        message: "expected hosts, cidrs or both",
      },
      {
        rule: "!has(self.hosts) || !self.hosts.exists(host, host.startsWith('*.')) || !self.ports.exists(each, each.protocol == 'tcp')",
        message:
          "tcp cannot be matched against a wildcard: opaque bytes carry no name; write the exact names, or tls or http where that is what is spoken",
        messageExpression:
          "'tcp cannot be matched against ' + self.hosts.filter(host, host.startsWith('*.'))[0] + ': opaque bytes carry no name; write the exact names, or tls or http where that is what is spoken'",
        fieldPath: ".ports",
      },
    ],
  },
  "[].hosts": {
    says: 'Names: exact ones, or "*." and a suffix, which holds every name below the suffix and not the suffix itself. Upper or lower case makes no difference; internationalised names are written as A-labels (xn--…). With cidrs: that name, at an address in those ranges. Alone: that name at a public address. Not the name of a Service of type ExternalName, but the name that it stands for.',
    most: 256,
  },
  "[].hosts[]": { most: 256, rules: [HOST] },
  "[].cidrs": {
    says: "Address ranges, IPv4 and IPv6; a bare address is that address alone. No host bits are set: 10.20.0.0/16, not 10.20.1.0/16. A private or otherwise special range is reached only by a CIDR that lies wholly inside it: 0.0.0.0/0 is the public internet. Alone: any name there, or none.",
    most: 512,
  },
  "[].cidrs[]": { most: 64, rules: [CIDR] },
  ...under("[].ports", PORTS),
};

export function destinations(path: string, says: string): Notes {
  return { ...under(path, DESTINATION), [path]: { says, most: 64 } };
}
