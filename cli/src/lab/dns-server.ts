import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from "dns-packet";

const CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** What is said of a name. A type that it does not give is answered with no data. */
export interface Records {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Followed within the zone, and the whole chain is in the answer, as a recursive server gives it. */
  readonly CNAME?: string;
  /** 30 unless told. */
  readonly ttlSeconds?: number | Readonly<Record<Type, number>>;
  readonly code?: keyof typeof CODES;
  /** How long the answer to each type takes; at once unless told. */
  readonly slow?: Partial<Readonly<Record<Type, number>>>;
  /** Questions of these types are heard and never answered. */
  readonly silent?: readonly Type[];
}
export type Type = "A" | "AAAA";

/**
 * By name, in lower case without the trailing dot; `*.example.com` stands for what is below and not itself named. A list
 * is said in turn, one of it to each question of a type, the last for ever. What is not in the zone does not exist.
 */
export type Zone = Readonly<Record<string, Records | readonly Records[]>>;

export interface Question {
  readonly name: string;
  readonly type: string;
  readonly over: "udp" | "tcp";
}

/**
 * A name server, small and real: UDP and TCP, truncated over UDP where the asker has no room for the answer (RFC 1035
 * §4.2.1, RFC 6891 §6.2.5).
 */
export class DnsServer {
  /** All that it has heard. */
  readonly asked: Question[] = [];
  readonly address: string;
  readonly port: number;
  onAsked: (question: Question) => void = () => {};
  readonly #zone: Map<string, readonly Records[]>;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #streams = new Set<Socket>();
  readonly #times = new Map<string, number>();
  readonly #closed = new AbortController();

  private constructor(udp: UdpSocket, tcp: Server, zone: Zone) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#zone = new Map(Object.entries(zone).map(([name, records]) => [name, [records].flat()]));
    const { address, port } = udp.address();
    this.address = address;
    this.port = port;
    udp.on("message", async (message, from) => {
      const answer = await this.#answer(message, "udp");
      if (answer) udp.send(answer, from.port, from.address);
    });
    tcp.on("connection", (stream) => this.#converse(stream));
  }

  /** Port 0 takes a free one. */
  static async listen(address: string, port: number, zone: Zone = {}): Promise<DnsServer> {
    const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
    udp.bind(port, address);
    await once(udp, "listening");
    const tcp = createServer().listen(udp.address().port, address);
    await once(tcp, "listening");
    return new DnsServer(udp, tcp, zone);
  }

  /** As a resolver's setting names it. */
  get server(): string {
    return this.address.includes(":")
      ? `[${this.address}]:${this.port}`
      : `${this.address}:${this.port}`;
  }

  /** Undefined: the name is no more. */
  set(name: string, records: Zone[string] | undefined): void {
    if (records) this.#zone.set(name, [records].flat());
    else this.#zone.delete(name);
  }

  close(): void {
    this.#closed.abort();
    this.#udp.close();
    this.#tcp.close();
    for (const stream of this.#streams) stream.destroy();
  }

  #converse(stream: Socket): void {
    this.#streams.add(stream);
    stream.on("error", () => {});
    stream.once("close", () => this.#streams.delete(stream));
    let heard = Buffer.alloc(0);
    stream.on("data", async (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE()) {
        const end = 2 + heard.readUInt16BE();
        const message = heard.subarray(0, end);
        heard = heard.subarray(end);
        const answer = await this.#answer(message, "tcp");
        if (answer) stream.write(answer);
      }
    });
  }

  async #answer(message: Buffer, over: Question["over"]): Promise<Buffer | undefined> {
    const query = queryIn(message, over);
    const [asked] = query?.questions ?? [];
    if (!query || !asked) return undefined;
    const question = { name: asked.name.toLowerCase(), type: asked.type, over };
    const key = `${question.name} ${asked.type}`;
    const earlier = this.#times.get(key) ?? 0;
    this.#times.set(key, earlier + 1);
    this.asked.push(question);
    this.onAsked(question);
    const records = this.#find(question.name, earlier);
    const type = asked.type === "A" || asked.type === "AAAA" ? asked.type : undefined;
    if (type && records?.silent?.includes(type)) return undefined;
    const slowMs = type && records?.slow?.[type];
    if (slowMs && !(await this.#waited(slowMs))) return undefined;
    const response = {
      type: "response" as const,
      id: query.id ?? 0,
      questions: [asked],
    };
    const code = CODES[records ? (records.code ?? "NOERROR") : "NXDOMAIN"];
    const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | code;
    const answers = this.#follow(asked.name, asked.type, records, earlier);
    if (over === "tcp") return streamEncode({ ...response, flags, answers });
    const whole = encode({ ...response, flags, answers });
    const room = query.additionals?.find(({ type }) => type === "OPT");
    const limit = room?.type === "OPT" ? room.udpPayloadSize : 512;
    return whole.length <= limit
      ? whole
      : encode({ ...response, flags: flags | TRUNCATED_RESPONSE });
  }

  #find(name: string, earlier: number): Records | undefined {
    const labels = name.split(".");
    const above = labels.map((_, i) => `*.${labels.slice(i + 1).join(".")}`);
    for (const key of [name, ...above]) {
      const turns = this.#zone.get(key);
      if (turns) return turns[Math.min(earlier, turns.length - 1)];
    }
    return undefined;
  }

  #follow(name: string, type: string, records: Records | undefined, earlier: number): Answer[] {
    if (!records) return [];
    if (type !== "A" && type !== "AAAA") return [];
    const { ttlSeconds = 30, CNAME } = records;
    const ttl = typeof ttlSeconds === "number" ? ttlSeconds : ttlSeconds[type];
    if (CNAME === undefined)
      return (records[type] ?? []).map((data) => ({ type, name, ttl, data }));
    const end = this.#follow(CNAME, type, this.#find(CNAME, earlier), earlier);
    return [{ type: "CNAME", name, ttl, data: CNAME }, ...end];
  }

  /** False where it was closed meanwhile. */
  #waited(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.#closed.signal }).catch(() => false);
  }
}

/** Undefined where it is no DNS message: whoever sent it gets no answer. */
function queryIn(message: Buffer, over: Question["over"]) {
  try {
    return over === "udp" ? decode(message) : streamDecode(message);
  } catch {
    return undefined;
  }
}
