/**
 * The pictures of docs/reference/admin.md: `node e2e/browser/screenshots-main.ts`, as root, after `npm run bundle`. A pod
 * with the real sidecar talks to a world of our own, and Chromium looks at its admin page.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { HOSTILE, OTHER, REAL } from "../support/egress-pod.ts";
import { AdminBed } from "./admin-bed.ts";
import type { Look } from "./page.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/images");
/** `open`: with the details of what was refused for its port alone. */
const PICTURES: Readonly<Record<string, Look & { readonly open?: true }>> = {
  "admin-light": { width: 1_040, height: 860, scale: 1.5 },
  "admin-dark": { width: 1_040, height: 860, scale: 1.5, dark: true, open: true },
  "admin-phone": { width: 390, height: 844, scale: 2, phone: true, dark: true },
};
const OPENED =
  "[...document.querySelectorAll('tbody.refused tr')].find((row) => row.innerText.includes('8443'))";

const cleanUps: (() => unknown)[] = [];

async function play({ egress }: AdminBed): Promise<void> {
  const { app } = egress;
  const get = (path: string, host: string) => ({
    say: [Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)],
    enough: 100_000,
  });
  for (const [name, times] of Object.entries({ api: 31, auth: 8, images: 64, payments: 12 }))
    for (let i = 0; i < times; i++)
      await app.call({ address: REAL, port: 443, tls: `${name}.example.com` });
  for (let i = 0; i < 5; i++)
    await app.call({ address: REAL, port: 80, ...get("/basket", "www.example.com") });
  for (let i = 0; i < 3; i++) await app.hold({ address: OTHER, port: 5_432 });
  await app.call({ address: OTHER, port: 25 });
  for (let i = 0; i < 2; i++) await app.call({ address: HOSTILE, port: 6_379 });
  for (let i = 0; i < 7; i++)
    await app.call({ address: REAL, port: 443, tls: "telemetry.example.org" });
  await app.call({ address: REAL, port: 8_443, tls: "api.example.com" });
}

try {
  const bed = await AdminBed.open({ after: (step) => cleanUps.unshift(step) });
  await play(bed);
  const page = await bed.browser.open(bed.url);
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, look] of Object.entries(PICTURES)) {
    await page.look(look);
    await page.go(bed.url);
    await page.until("document.querySelectorAll('tbody').length === 3");
    if (look.open) {
      await page.value(`${OPENED}.querySelector('button').click()`);
      await page.until("document.querySelector('.details pre')");
    }
    const file = join(FOLDER, `${name}.png`);
    const picture = await page.screenshot();
    writeFileSync(file, picture);
    console.log(`${file}: ${Math.round(picture.length / 1_000)} KB`);
  }
} finally {
  for (const step of cleanUps) await step();
}
process.exitCode = 0;
