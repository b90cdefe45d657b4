import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { FAINT_TEXTS } from "./browser/contrast.ts";
import { DashboardBed } from "./browser/dashboard-bed.ts";
import type { Page } from "./browser/page.ts";
import { lacking } from "./clients/programs.ts";
import { lackingApiServer } from "./cluster/api-server.ts";
import { type EgressPod, HOSTILE, OTHER, REAL } from "./support/egress-pod.ts";

const HOSTILE_NAME = `<img src=x onerror="document.title='hacked'">`;

/** As a selector within the page, the row of a table whose first cell begins so. */
const rowOf = (table: string, begins: string) =>
  `[...document.querySelectorAll("#${table} > tr:not(.details)")].find((row) => row.querySelector(".place").textContent.startsWith(${JSON.stringify(begins)}))`;
const textOf = (row: string) => `${row}?.innerText.replaceAll(/\\s+/g, " ").trim()`;
const buttonOf = (row: string) => `${row}.querySelector("th button")`;
const panelOf = (row: string) => `${row}.nextElementSibling`;

/** A pod whose app has taken the sidecar's port, and lies. */
function liar(port: number) {
  return createServer(({ url = "" }, response) => {
    const steal = `fetch("http://localhost:${port}/fleet")
      .then((answer) => answer.text()).then((text) => { document.title = "stolen " + text; }, () => { document.title = "kept out"; })`;
    if (url === "/")
      return void response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<title>liar</title><script>${steal}</script>`);
    const destination = {
      ...{ name: HOSTILE_NAME, address: HOSTILE, port: 443, reason: "denied.no_rule" },
      ...{ open: 0, connections: 1, requests: 0, nearest: HOSTILE_NAME },
    };
    const overview = {
      ...{ started: "2026-01-01T00:00:00Z", connections: { open: 0 } },
      policy: { mode: HOSTILE_NAME, version: 1, problem: HOSTILE_NAME },
    };
    response.end(JSON.stringify(url === "/overview" ? overview : { destinations: [destination] }));
  });
}

describe("the dashboard in a browser", {
  skip: lacking("chromium") || lackingApiServer(),
}, () => {
  let bed: DashboardBed;
  let page: Page;
  let web: EgressPod;
  let pay: EgressPod;
  let hasEnded = false;
  const cleanUps: (() => unknown)[] = [];

  before(async () => {
    bed = await DashboardBed.open({ after: (step) => cleanUps.unshift(step) });
    page = await bed.browser.open(bed.url);
    await page.look({});
  });
  after(async () => {
    for (const step of cleanUps) await step();
    // A browser says of each request that it could not be made; that is no fault of the page.
    const faults = page?.errors.filter((error) => !hasEnded || !error.includes("net::ERR_"));
    assert.deepEqual(faults, [], "the console is silent");
  });

  test("says so while no pod has a sidecar, and which cluster it is", async () => {
    await page.until(`document.body.innerText.includes("No pod has a sidecar")`);
    assert.match(await page.text(), /shop-eu\s+http:\/\/127\.0\.0\.1:\d+ · 0 namespaces/);
    assert.equal(await page.value("document.title"), "shop-eu · Sallyport");
  });

  test("shows what is refused across the fleet as it happens, why and to whom", async () => {
    for (const name of ["shop", "bank"]) await bed.createNamespace(name, "all");
    [web, pay] = await Promise.all([
      bed.runPod("shop", "web", "web-7d4b9-x1"),
      bed.runPod("bank", "pay", "pay-7d4b9-k2"),
    ]);
    await web.attempt({ address: REAL, port: 443, tls: "api.example.com" });
    for (const pod of [web, pay])
      await pod.attempt({ address: REAL, port: 443, tls: "tracker.example.org" });
    const row = rowOf("refusals", "tracker.example.org:443");
    await page.until(`${row}?.innerText.includes("bank/") && ${row}.innerText.includes("shop/")`);
    assert.match(
      await page.value(textOf(row)),
      /^✕tracker\.example\.org:443 no rule permits it bank\/deployment\/pay shop\/deployment\/web 2 /,
    );
    await web.attempt({ address: REAL, port: 443, tls: "tracker.example.org" });
    await page.until(`${row}.querySelector('[data-label="Count"]').textContent === "3"`);
  });

  test("shows each workload with its sidecars, and a pod that cannot be asked as one that needs a look", async () => {
    await bed.createPod("shop", "db", "db-7d4b9-q3");
    const silent = rowOf("workloads", "shop/deployment/db");
    await page.until(`${silent}?.innerText.includes("needs a look")`);
    assert.match(await page.value(textOf(silent)), /^! shop\/deployment\/db ?needs a look 0 of 1/);
    const well = rowOf("workloads", "shop/deployment/web");
    assert.match(await page.value(textOf(well)), /^✕ shop\/deployment\/web 1 of 1 2 0 1$/);
    await page.value(`${buttonOf(silent)}.click()`);
    await page.until(
      `${panelOf(silent)}.innerText.includes("db-7d4b9-q3: nothing listens on port 15000 of the pod")`,
    );
    await page.value(`${buttonOf(silent)}.click()`);
  });

  test("leads from a refusal to the workload, where it goes, and its pods", async () => {
    await web.attempt({ address: OTHER, port: 25 });
    await page.value(
      `[...${rowOf("refusals", "tracker.example.org")}.querySelectorAll(".link")].find((link) => link.textContent === "shop/deployment/web").click()`,
    );
    const row = rowOf("workloads", "shop/deployment/web");
    await page.until(`${panelOf(row)}?.innerText.includes("shop/api")`);
    await page.until(`${panelOf(row)}.innerText.includes("not reached")`);
    const told: string[] = await page.value(
      `[...${panelOf(row)}.querySelectorAll("table:first-of-type tbody")][0].innerText.split("\\n").map((line) => line.replaceAll(/\\s+/g, " ").trim()).filter(Boolean)`,
    );
    assert.match(told.join("\n"), /✕tracker\.example\.org:443 refused no rule permits it 2 /);
    assert.match(told.join("\n"), /!93\.184\.216\.35:25 not reached .+ 1 /);
    assert.match(told.join("\n"), /✓api\.example\.com:443 allowed shop\/api 1 /);
    assert.match(await page.value(textOf(panelOf(row))), /web-7d4b9-x1 answers enforce · 1/);
  });

  test("a pod leads to its sidecar's own page, which is live there", async () => {
    const href: string = await page.value(
      `[...document.querySelectorAll(".details a")].find((link) => link.textContent === "web-7d4b9-x1").href`,
    );
    assert.equal(href, `http://web-7d4b9-x1.shop.localhost:${bed.dashboard.port}/`);
    const own = await bed.browser.open(href);
    await own.until(`document.querySelector("#state").innerText === "live"`);
    await own.until(`document.body.innerText.includes("tracker.example.org")`);
    await web.attempt({ address: REAL, port: 443, tls: "news.example.com" });
    await own.until(`document.body.innerText.includes("news.example.com")`);
    assert.deepEqual(own.errors, [], "its own policy and ours let it work");
    await own.close();
    await page.bringToFront();
  });

  test("a pod that lies is shown as text, and its page reads nothing but itself", async () => {
    const server = liar(bed.dashboard.port);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    cleanUps.unshift(() => {
      server.close();
      server.closeAllConnections();
    });
    bed.front.lead("shop", "liar-7d4b9-l4", (server.address() as AddressInfo).port);
    await bed.createPod("shop", "liar", "liar-7d4b9-l4");
    await page.until(rowOf("refusals", HOSTILE_NAME));
    const row = rowOf("workloads", "shop/deployment/liar");
    await page.until(`${row}?.innerText.includes("needs a look")`);
    await page.value(`${buttonOf(row)}.click()`);
    await page.until(`${panelOf(row)}.querySelectorAll("tbody tr").length === 2`);
    assert.equal(await page.value(`document.querySelectorAll("img").length`), 0);
    assert.equal(await page.value("document.title"), "shop-eu · Sallyport");
    await page.value(`${buttonOf(row)}.click()`);

    const its = await bed.browser.open(
      `http://liar-7d4b9-l4.shop.localhost:${bed.dashboard.port}/`,
    );
    await its.until(`document.title !== "liar"`);
    assert.equal(await its.value("document.title"), "kept out");
    const read = (url: string) =>
      its.value(`fetch(${JSON.stringify(url)}).then(() => "read", () => "kept out")`);
    const other = `http://web-7d4b9-x1.shop.localhost:${bed.dashboard.port}/destinations`;
    assert.equal(await read(other), "kept out");
    assert.equal(await read("/overview"), "read");
    await its.close();
    await page.bringToFront();
  });

  test("shows rules and boundaries with their status, those with problems first", async () => {
    const at = { lastTransitionTime: "2026-01-01T00:00:00Z", reason: "Applied" };
    const to = [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }];
    const rule = (name: string, status: object) => ({
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule", status },
      ...{ metadata: { name, namespace: "shop" }, spec: { to } },
    });
    await bed.create(
      rule("api", {
        ...{ matchedPods: 2, appliedPods: 1, allowed: 1234, refused: 0 },
        conditions: [
          { ...at, type: "Ready", status: "False", message: "1 of 2 pods has not applied it" },
        ],
      }),
    );
    await bed.create(
      rule("mail", {
        ...{ matchedPods: 2, appliedPods: 2, allowed: 3, refused: 7 },
        conditions: [{ ...at, type: "Ready", status: "True", message: "" }],
      }),
    );
    await bed.create({
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" },
      ...{ metadata: { name: "everybody" }, spec: {} },
    });
    await page.until(rowOf("boundaries", "everybody"));
    await page.until(`${rowOf("rules", "shop/api")}?.innerText.includes("has not applied it")`);
    await page.until(`${rowOf("rules", "shop/mail")}?.innerText.includes("in force")`);
    const first = await page.value(`document.querySelector("#rules .place").textContent`);
    assert.equal(first, "shop/api");
    assert.match(
      await page.value(textOf(rowOf("rules", "shop/api"))),
      /^shop\/api Ready: 1 of 2 pods has not applied it 1 of 2 1\s234 0$/,
    );
    assert.match(
      await page.value(textOf(rowOf("rules", "shop/mail"))),
      /^shop\/mail in force 2 of 2 3 7$/,
    );
    assert.match(
      await page.value(textOf(rowOf("boundaries", "everybody"))),
      /no controller has written its status yet/,
    );
  });

  test("filters by what is typed, and keeps open what was open", async () => {
    const shown = (table: string) =>
      page.value(
        `[...document.querySelectorAll("#${table} > tr:not(.details) .place")].map((place) => place.textContent)`,
      );
    await page.value(`document.querySelector("#filter").focus()`);
    for (const key of "bank/") await page.press(key, key);
    assert.deepEqual(await shown("workloads"), ["bank/deployment/pay"]);
    assert.deepEqual(await shown("refusals"), ["tracker.example.org:443"]);
    assert.deepEqual(await shown("rules"), []);
    assert.match(await page.text(), /None of 2 fits the filter/);
    await page.value(`(() => {
      const filter = document.querySelector("#filter");
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
    })()`);
    const row = rowOf("workloads", "shop/deployment/web");
    assert.equal(await page.value(`${buttonOf(row)}.getAttribute("aria-expanded")`), "true");
    assert.ok(await page.value(`${panelOf(row)}.innerText.includes("web-7d4b9-x1")`));
  });

  for (const dark of [false, true])
    test(`is readable in the ${dark ? "dark" : "light"}: no text has less contrast than 4.5 to 1`, async () => {
      await page.look({ dark });
      assert.deepEqual(await page.value(FAINT_TEXTS), []);
      await page.look({});
    });

  test("fits a window of 900 pixels, with a workload open", async () => {
    await page.look({ width: 900 });
    assert.ok(await page.value(`document.querySelector(".details a")`), "one is open");
    assert.equal(await page.value("document.documentElement.scrollWidth"), 900);
    await page.look({});
  });

  test("fits a phone of 360 pixels, with a workload open", async () => {
    await page.look({ width: 360, height: 740, phone: true });
    assert.equal(await page.value("document.documentElement.scrollWidth"), 360);
    const beyond = await page.value(`[...document.querySelectorAll("body *")]
      .filter((each) => !each.closest("pre, .scroll") && each.getBoundingClientRect().right > 360)
      .map((each) => each.outerHTML)`);
    assert.deepEqual(beyond, []);
    await page.look({});
  });

  test("is one document: it names no file of another place, and its policy lets none in", async () => {
    const answer = await fetch(bed.url);
    const body = await answer.text();
    assert.doesNotMatch(body, /<(script|link|img|iframe)[^>]+(src|href)="(?!data:)|@import|url\(/);
    assert.match(
      answer.headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'sha256-/,
    );
  });

  test("says when the API server is not reached, and when the command itself does not answer; what was heard stays", async () => {
    bed.front[Symbol.dispose]();
    await page.until(`document.querySelector(".notice.problem")?.innerText.includes("127.0.0.1")`);
    assert.ok(await page.value(rowOf("workloads", "shop/deployment/web")));
    hasEnded = true;
    await bed.dashboard.close();
    await page.until(
      `document.querySelector(".notice.unreachable")?.innerText.includes("does not answer")`,
    );
    assert.match(await page.text(), /not reached/);
    assert.ok(await page.value(rowOf("workloads", "shop/deployment/web")));
  });
});
