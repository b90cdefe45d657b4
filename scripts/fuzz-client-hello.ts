/**
 * Mutated ClientHellos, read by the sidecar's parser and by OpenSSL, which must not differ on a name. How they are made and
 * what the oracle can tell: proxy/test/sniff/mutate.ts, openssl-reader.ts and fuzz.ts. A few seconds of it are a test;
 * `fuzz-client-hello.ts [--seconds 60] [--seed N]` runs longer and prints what it found, the bytes of each fault included.
 */
import { parseArgs } from "node:util";
import { fuzz } from "../proxy/test/sniff/fuzz.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds}: expected a number above 0`);
if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: expected a whole number`);

const { tried, agreed, agreedOnceSound, stricter, faults } = await fuzz(seed, seconds * 1_000);
console.log(`seed ${seed}: ${tried} mutated ClientHellos in ${seconds} s`);
console.log(`  ${agreed} names read alike by OpenSSL`);
console.log(
  `  ${agreedOnceSound} names read alike in hellos that OpenSSL refuses for other reasons`,
);
for (const [what, times] of Object.entries(stricter))
  console.log(`  ${times} names that OpenSSL read and we did not: ${what}`);
for (const fault of faults) console.log(`  FAULT ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
