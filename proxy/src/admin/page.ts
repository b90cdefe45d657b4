import type { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "./server.ts";

/** Made by scripts/bundle.ts from proxy/page/: one document, with its style and its script inside. */
const FILE = join(import.meta.dirname, "page.html");

/**
 * For a browser: whoever asks for anything but HTML is answered otherwise, as is everybody where the sidecar runs from its
 * sources. Read when it is asked for, so that it costs no memory before.
 */
export async function pageFor(accept: string): Promise<Answer | undefined> {
  if (!accept.includes("text/html")) return undefined;
  const body = readPage();
  if (body === undefined) return undefined;
  const { createHash } = await import("node:crypto");
  const headers = protectionOf(body, createHash);
  return { status: 200, contentType: "text/html; charset=utf-8", body, headers };
}

function readPage(): string | undefined {
  try {
    return readFileSync(FILE, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Names come from the apps, and some apps are hostile: nothing runs but this very script (by its hash), nothing is
 * fetched but from here, no form is sent, nobody frames it (Content Security Policy Level 3).
 */
export function protectionOf(
  page: string,
  hash: typeof createHash,
): Readonly<Record<string, string>> {
  const hashes = (element: "script" | "style") =>
    [...page.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))]
      .map(([, text = ""]) => `'sha256-${hash("sha256").update(text).digest("base64")}'`)
      .join(" ");
  const policy = [
    "default-src 'none'",
    `script-src ${hashes("script")}`,
    `style-src ${hashes("style")}`,
    "connect-src 'self'",
    "img-src data:",
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    "require-trusted-types-for 'script'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
  };
}
