import { Duplex } from "node:stream";
import { connect } from "node:tls";
import * as wire from "../../proxy/test/sniff/wire.ts";

/** What Node's TLS client says first, in one record; without a name where none is given. */
export function realHello(servername = "", curves = "auto"): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    // It is never answered, and goes when nobody holds it any more.
    connect({ socket, servername, ecdhCurve: curves });
  });
}

/** The same without a post-quantum key share, of some 300 bytes in place of 1,600. */
export function smallHello(servername: string): Promise<Buffer> {
  return realHello(servername, "X25519");
}

/** A sound hello but for its names: these, in one list, byte by byte (latin1). */
export async function helloNaming(...names: readonly string[]): Promise<Buffer> {
  return wire.withServerName(await realHello(), wire.serverNames(...names));
}

/** The same with a list of its own, in an extension of its own, for each. */
export async function helloNamingTwice(...names: readonly string[]): Promise<Buffer> {
  return wire.withServerName(await realHello(), ...names.map((name) => wire.serverNames(name)));
}

/** The same hello in records of so many bytes. */
export function inRecords(hello: Buffer, size: number): Buffer {
  return wire.records(wire.messageOf(hello), size);
}

/** The same hello, longer by an extension that means nothing (RFC 7685), in as many records as it takes. */
export function padded(hello: Buffer, bytes: number): Buffer {
  const { prefix, extensions } = wire.takeApart(hello);
  const padding = { type: 21, data: Buffer.alloc(bytes) };
  return wire.putTogether({ prefix, extensions: [...extensions, padding] });
}
