/** Frame types and the error code of RFC 9113 §6.5, §6.8 and §7. */
const SETTINGS = 4;
const GOAWAY = 7;
const HTTP_1_1_REQUIRED = 13;

/**
 * What a refused HTTP/2 client without TLS is told: our preface, which has to come first (RFC 9113 §3.4), and a GOAWAY that
 * says that HTTP/1.1 is required, which clients understand; why, in its debug data.
 */
export function goAway(why: string): Buffer {
  const debug = Buffer.from(why);
  const lastStreamAndError = Buffer.from([0, 0, 0, 0, 0, 0, 0, HTTP_1_1_REQUIRED]);
  return Buffer.concat([
    frame(SETTINGS, Buffer.alloc(0)),
    frame(GOAWAY, Buffer.concat([lastStreamAndError, debug])),
  ]);
}

/** On stream 0, without flags (RFC 9113 §4.1). */
function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  return Buffer.concat([head, payload]);
}
