import { readFileSync } from "node:fs";
import { codeOf, DeliveryFailure } from "./failure.ts";

/** A compact JWS (RFC 7515 §3.1), or whatever else a header field carries as it is (RFC 6750 §2.1, b64token). */
const TOKEN = /^[\w.~+/-]{1,16384}=*$/;

/** The pod's token as it is now: the kubelet puts newer ones in its place. */
export function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new DeliveryFailure(`cannot read the pod's token in ${file}: ${codeOf(error as Error)}`);
  }
  if (!TOKEN.test(text))
    throw new DeliveryFailure(`${file} holds no token: expected one line without spaces`);
  return text;
}
