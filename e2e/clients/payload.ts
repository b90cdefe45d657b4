import { createCipheriv, createHash } from "node:crypto";

const BYTES = 20_000_000;

/** What is downloaded and uploaded: every position is different, so that nothing lost, doubled or moved stays hidden. */
export function payload(): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16)).update(
    Buffer.alloc(BYTES),
  );
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
