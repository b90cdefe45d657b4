/**
 * The outside world of the demo: who listens where. It exists only inside the demo's second namespace. Addresses are for
 * documentation (RFC 5737, RFC 3849) where a rule gives them; what a name alone leads to has to be public, and these look
 * it.
 */
export const WORLD = {
  pod: ["10.10.0.2/24", "fd10::2/64"],
  gateway: ["10.10.0.1/24", "fd10::1/64"],
  resolver: "192.0.2.53",
  names: {
    "api.example.com": ["93.184.216.10", "2606:2800:220:1::10"],
    "static.cdn.example.com": ["93.184.216.20"],
    "db.example.com": ["93.184.216.40"],
    "new.example.com": ["93.184.216.60"],
    "inside.example.com": ["10.10.0.1"],
    "secure.example.com": ["93.184.216.50"],
    "misnamed.example.com": ["93.184.216.51"],
    "events.example.com": ["93.184.216.70"],
    "partner.example.net": ["93.184.216.80"],
  } as Readonly<Record<string, readonly string[]>>,
  /** A Service of type ExternalName, and what it stands for. */
  partner: { name: "partner", externalName: "partner.example.net" },
  servers: [
    { address: "192.0.2.10", port: 80, speaks: "http" },
    { address: "2001:db8::10", port: 80, speaks: "http" },
    { address: "192.0.2.25", port: 25, speaks: "greeting" },
    { address: "203.0.113.30", port: 8080, speaks: "download" },
    { address: "2001:db8::30", port: 7, speaks: "echo" },
    { address: "203.0.113.94", port: 9418, speaks: "echo" },
    { address: "198.51.100.66", port: 443, speaks: "tls" },
    { address: "93.184.216.10", port: 80, speaks: "http" },
    { address: "93.184.216.10", port: 443, speaks: "tls" },
    { address: "2606:2800:220:1::10", port: 443, speaks: "tls" },
    { address: "93.184.216.20", port: 443, speaks: "tls" },
    { address: "93.184.216.40", port: 5432, speaks: "echo" },
    { address: "93.184.216.60", port: 443, speaks: "tls" },
    { address: "93.184.216.60", port: 9000, speaks: "echo" },
    { address: "10.10.0.1", port: 443, speaks: "tls" },
    { address: "198.51.100.66", port: 80, speaks: "http" },
    { address: "93.184.216.50", port: 443, speaks: "https" },
    { address: "93.184.216.51", port: 443, speaks: "https, misnamed" },
    { address: "93.184.216.70", port: 80, speaks: "websocket" },
    { address: "93.184.216.80", port: 80, speaks: "http" },
    { address: "192.0.2.10", port: 443, speaks: "datagram" },
    { address: "192.0.2.53", port: 53, speaks: "dns" },
  ],
} as const;

/** The pod's. */
export const NAMESPACE = "shop";
/** Under which that namespace has its Services (Kubernetes DNS-Based Service Discovery, 2.3). */
export const SERVICES = `${NAMESPACE}.svc.cluster.local`;

export type Server = (typeof WORLD.servers)[number];

/** Of a name that nobody in this world is asked for: what a server shows that bears another's certificate. */
export const MISNAMED = "another.example.com";

/** What a download serves: recognisable to its last byte. */
export const DOWNLOAD = { bytes: 16 << 20, pattern: "sallyport " } as const;

export const GREETING = "220 mail.example.com ready\r\n";
