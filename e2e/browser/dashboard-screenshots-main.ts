/**
 * The pictures of docs/reference/dashboard.md: `node e2e/browser/dashboard-screenshots-main.ts`, as root, after `npm run
 * bundle`. Pods with real sidecars talk to a world of our own; an API server tells of them, and Chromium looks.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EgressPod, OTHER, REAL } from "../support/egress-pod.ts";
import { DashboardBed } from "./dashboard-bed.ts";
import type { Look, Page } from "./page.ts";

const FOLDER = resolve(import.meta.dirname, "../../docs/images");
const PICTURES: Readonly<Record<string, Look & { readonly open?: true }>> = {
  "dashboard-light": { width: 1_040, height: 900, scale: 1.5 },
  "dashboard-dark": { width: 1_040, height: 900, scale: 1.5, dark: true, open: true },
  "dashboard-phone": { width: 390, height: 844, scale: 2, phone: true, dark: true },
};
const OPENED = `[...document.querySelectorAll("#workloads .place-button")].find((button) => button.innerText.includes("shop/deployment/web"))`;

const cleanUps: (() => unknown)[] = [];

const connections = async (pod: EgressPod, names: Readonly<Record<string, number>>) => {
  for (const [name, times] of Object.entries(names))
    for (let i = 0; i < times; i++) await pod.app.call({ address: REAL, port: 443, tls: name });
};

async function play(bed: DashboardBed): Promise<void> {
  for (const name of ["shop", "bank", "search"]) await bed.createNamespace(name, "all");
  const run = (namespace: string, deployment: string, mark: string) =>
    bed.runPod(namespace, deployment, `${deployment}-7d4b9-${mark}`);
  const web = await run("shop", "web", "x1k8c");
  const web2 = await run("shop", "web", "p9d2z");
  const pay = await run("bank", "payments", "k2v7q");
  const index = await run("search", "indexer", "m4w6t");
  await bed.createPod("bank", "ledger", "ledger-5c7f6-h3n9b");
  await connections(web, {
    ...{ "api.example.com": 31, "images.example.com": 24, "telemetry.example.org": 4 },
  });
  await connections(web2, { "api.example.com": 18, "telemetry.example.org": 3 });
  await web.app.call({ address: OTHER, port: 25 });
  await web2.app.call({ address: REAL, port: 8_443, tls: "api.example.com" });
  await connections(pay, { "api.example.com": 12, "hooks.example.net": 2 });
  await connections(index, { "api.example.com": 44 });
  await rules(bed);
}

async function rules(bed: DashboardBed): Promise<void> {
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", reason: "Applied" };
  const ready = { ...at, type: "Ready", status: "True", message: "" };
  const to = [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }];
  const apiVersion = "sallyport.dev/v1alpha1";
  for (const [namespace, name, status] of [
    [
      "shop",
      "api",
      { matchedPods: 2, appliedPods: 2, allowed: 73, refused: 1, conditions: [ready] },
    ],
    [
      "search",
      "api",
      { matchedPods: 1, appliedPods: 1, allowed: 44, refused: 0, conditions: [ready] },
    ],
    [
      "bank",
      "partners",
      {
        ...{ matchedPods: 2, appliedPods: 1, allowed: 12, refused: 0 },
        conditions: [{ ...ready, status: "False", message: "1 of 2 pods has not applied it" }],
      },
    ],
  ] as const)
    await bed.create({
      ...{ apiVersion, kind: "EgressRule", metadata: { namespace, name }, spec: { to }, status },
    });
  const status = { matchedNamespaces: 3, matchedPods: 5, appliedPods: 4, conditions: [ready] };
  await bed.create({
    ...{ apiVersion, kind: "EgressBoundary", metadata: { name: "everybody" }, spec: {}, status },
  });
}

async function complete(page: Page): Promise<void> {
  for (const text of ["hooks.example.net", "needs a look", "everybody", "api.example.com:8443"])
    await page.until(`document.body.innerText.includes(${JSON.stringify(text)})`);
  await page.until(`document.querySelector("#progress").innerText === ""`);
}

try {
  const bed = await DashboardBed.open({ after: (step) => cleanUps.unshift(step) });
  await play(bed);
  const page = await bed.browser.open(bed.url);
  for (const [name, look] of Object.entries(PICTURES)) {
    await page.look(look);
    await page.go(bed.url);
    await complete(page);
    if (look.open) {
      await page.value(`${OPENED}.click()`);
      await page.until(`document.querySelector(".details a")`);
      await page.value(`document.querySelector("#workloads-head").scrollIntoView()`);
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
