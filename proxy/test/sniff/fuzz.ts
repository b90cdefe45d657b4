import { canonicalName } from "@sallyport/core/hostname";
import { MAX_HEAD, sniff } from "../../src/sniff/sniff.ts";
import { mutate } from "./mutate.ts";
import { OpensslReader, type Reading } from "./openssl-reader.ts";
import { Random } from "./random.ts";
import { realHellos } from "./real-hellos.ts";
import * as wire from "./wire.ts";

export interface FuzzReport {
  readonly tried: number;
  /** Both read the same name. */
  readonly agreed: number;
  /** OpenSSL refused the hello before it read a name, and read ours once the rest of the hello was sound. */
  readonly agreedOnceSound: number;
  /** OpenSSL read a name that could match, and we said malformed: how often, by what we said. */
  readonly stricter: Readonly<Record<string, number>>;
  /** What must not be, each with the bytes in hexadecimal. */
  readonly faults: readonly string[];
}

const MAX_FAULTS = 10;

/**
 * Mutated hellos, read by us and by OpenSSL (openssl-reader.ts), until the time is over or enough is wrong. A fault is an
 * exception; an answer of `more` that needs nothing, or more than there can be; a name of ours that OpenSSL does not read
 * there; a hello that is complete and nameless to us where OpenSSL read a name that could match.
 */
export async function fuzz(seed: number, milliseconds: number): Promise<FuzzReport> {
  const random = new Random(seed);
  const openssl = new OpensslReader();
  const hellos = (await realHellos()).map(({ bytes }) => bytes);
  const sound = random.pick(hellos);
  const faults: string[] = [];
  const stricter: Record<string, number> = {};
  const agreements = { atOnce: 0, onceSound: 0 };
  let tried = 0;
  const end = performance.now() + milliseconds;
  while (performance.now() < end && faults.length < MAX_FAULTS) {
    const bytes = mutate(random.pick(hellos), hellos, random);
    tried += 1;
    try {
      const ours = sniff(bytes);
      const theirs = await openssl.read(bytes);
      const name = nameIn(theirs);
      if (ours.kind === "tls" && ours.serverName !== undefined) {
        agreements[await agreement(openssl, bytes, ours.serverName, theirs, sound)] += 1;
      } else if (ours.kind === "tls") {
        if (name !== undefined) faults.push(`OpenSSL read ${name}, we no name: ${hex(bytes)}`);
      } else if (name !== undefined) {
        const what = ours.kind === "malformed" ? ours.problem : ours.kind;
        stricter[what] = (stricter[what] ?? 0) + 1;
      }
      if (ours.kind === "more" && (ours.needs <= bytes.length || ours.needs > MAX_HEAD))
        faults.push(`needs ${ours.needs} of ${bytes.length}: ${hex(bytes)}`);
    } catch (error) {
      faults.push(`${error}: ${hex(bytes)}`);
    }
  }
  const { atOnce: agreed, onceSound: agreedOnceSound } = agreements;
  return { tried, agreed, agreedOnceSound, stricter, faults };
}

/** When OpenSSL read `name` too; throws where it does not. */
async function agreement(
  openssl: OpensslReader,
  bytes: Buffer,
  name: string,
  theirs: Reading,
  sound: Buffer,
): Promise<"atOnce" | "onceSound"> {
  if (nameIn(theirs) === name) return "atOnce";
  const said = `we read ${name}, OpenSSL ${theirs.serverName}`;
  if (theirs.serverName !== undefined) throw new Error(said);
  if (theirs.wentOn) throw new Error(`${said} and went on`);
  const again = await openssl.read(wire.grafted(bytes, sound));
  if (nameIn(again) !== name) throw new Error(`${said}, also in a sound hello`);
  return "onceSound";
}

/** What a host rule would be held against, had OpenSSL been asked. */
function nameIn({ serverName }: Reading): string | undefined {
  return serverName === undefined ? undefined : canonicalName(serverName);
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}
