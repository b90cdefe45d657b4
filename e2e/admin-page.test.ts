import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AdminBed, POLICY } from "./browser/admin-bed.ts";
import { FAINT_TEXTS } from "./browser/contrast.ts";
import type { Page } from "./browser/page.ts";
import { lacking } from "./clients/programs.ts";
import { HOSTILE, OTHER, REAL } from "./support/egress-pod.ts";
import { fetched } from "./support/fetched.ts";
import { helloNaming } from "./support/hellos.ts";

const get = (path: string, host: string) => ({
  say: [Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)],
  enough: 100_000,
});
const HOSTILE_NAME = `<img src=x onerror="document.title='hacked'">`;

/** As a selector within the page, the body of one outcome, and the row in it that shows this place. */
const rowOf = (outcome: string, place: string) =>
  `[...document.querySelectorAll("tbody.${outcome} tr")].find((row) => row.querySelector(".place")?.textContent === ${JSON.stringify(place)})`;
const cellOf = (row: string, label: string) =>
  `${row}.querySelector('[data-label="${label}"]').textContent`;
const buttonOf = (row: string) => `${row}.querySelector("button")`;

describe("the admin page in a browser", { skip: lacking("chromium") }, () => {
  let bed: AdminBed;
  let page: Page;
  const cleanUps: (() => unknown)[] = [];
  const call = (...args: Parameters<AdminBed["egress"]["attempt"]>) => bed.egress.attempt(...args);

  before(async () => {
    bed = await AdminBed.open({ after: (step) => cleanUps.unshift(step) });
    page = await bed.browser.open(bed.url);
    await page.look({});
  });
  after(async () => {
    for (const step of cleanUps) await step();
    assert.deepEqual(page.errors, [], "the console is silent");
  });

  test("says so while nothing has left the pod yet, and who it is", async () => {
    await page.until(`document.querySelector("#empty").innerText.startsWith("Nothing has left")`);
    assert.match(await page.text(), /web-0\s+namespace shop · enforce · policy 1/);
    assert.equal(await page.value("document.title"), "web-0 · Sallyport");
  });

  test("shows what is allowed and what is refused as it happens, apart, each with its rule", async () => {
    await call({ address: REAL, port: 443, tls: "api.example.com" });
    await call({ address: REAL, port: 443, tls: "tracker.example.org" });
    await call({ address: OTHER, port: 25 });
    const allowed = rowOf("allowed", "api.example.com");
    await page.until(allowed);
    assert.equal(await page.value(cellOf(allowed, "Rule")), "shop/api");
    assert.equal(await page.value(cellOf(allowed, "Count")), "1");
    await page.until(rowOf("refused", "tracker.example.org"));
    assert.equal(await page.value(cellOf(rowOf("failed", OTHER), "Rule")), "shop/mail");
    assert.deepEqual(
      await page.value(
        `[...document.querySelectorAll(".group")].map((row) => row.innerText.trim())`,
      ),
      ["Refused 1", "Not reached 1", "Allowed 1"],
    );
    await call({ address: REAL, port: 443, tls: "api.example.com" });
    await page.until(`${cellOf(allowed, "Count")} === "2"`);
  });

  test("shows a connection while it is open, with what it has moved so far", async () => {
    const held = await bed.egress.app.hold({ address: OTHER, port: 5432 });
    await page.value(`document.querySelector("#open summary").click()`);
    const row = rowOf("allowed", "db.example.net");
    await page.until(`${row} && ${cellOf(row, "Last seen")} === "open"`);
    await page.until(
      `document.querySelector("#open-list td")?.innerText === "db.example.net:5432 at ${OTHER}"`,
    );
    await bed.egress.app.hangUp();
    await held.ended;
    await page.until(`${cellOf(row, "Last seen")} !== "open"`);
    await page.until(`document.querySelector("#open-list").innerText.includes("None is open")`);
  });

  test("opens a refused destination by the keyboard: why, and the rule that would permit it", async () => {
    const row = rowOf("refused", "tracker.example.org");
    await page.value(`${buttonOf(row)}.focus()`);
    await page.press("Enter", "\r");
    await page.until(`${row}.nextElementSibling.querySelector("pre")`);
    assert.equal(await page.value(`${buttonOf(row)}.getAttribute("aria-expanded")`), "true");
    const details: string = await page.value(`${row}.nextElementSibling.innerText`);
    assert.match(
      details,
      /tracker\.example\.org at 93\.184\.216\.34:443 was refused: no rule permits it/,
    );
    assert.match(
      details,
      /kind: EgressRule\n.*\nspec:\n.*\n +- hosts: \["tracker\.example\.org"\]/,
    );
    assert.match(details, /refused by sidecar/);
    assert.equal(await page.value(`document.activeElement === ${buttonOf(row)}`), true);
  });

  test("names and paths that are markup or script are shown as they were said, and do nothing", async () => {
    const hello = await helloNaming(HOSTILE_NAME);
    await call({ address: REAL, port: 443, say: [hello], enough: 1 });
    const path = "/'-(document.title='hacked')-'";
    await call({ address: REAL, port: 80, ...get(path, "www.example.com") });
    const hostile = rowOf("refused", HOSTILE_NAME);
    const requested = rowOf("allowed", "www.example.com");
    for (const row of [hostile, requested]) {
      await page.until(row);
      await page.value(`${buttonOf(row)}.click()`);
    }
    const details = (row: string) => `${row}.nextElementSibling.innerText`;
    await page.until(`${details(hostile)}.includes(${JSON.stringify(HOSTILE_NAME)})`);
    await page.until(`${details(requested)}.includes(${JSON.stringify(`GET ${path} 200`)})`);
    assert.equal(await page.value("document.title"), "web-0 · Sallyport");
    assert.equal(await page.value(`document.querySelectorAll("img, main script").length`), 0);
  });

  test("lets nothing run that is not its own, however it came there", async () => {
    const other = await bed.browser.open(bed.url);
    await other.value(`(() => {
      globalThis.forbidden = new Set();
      document.addEventListener("securitypolicyviolation", (event) => forbidden.add(event.effectiveDirective));
      try { document.body.innerHTML += "<img src=x onerror='globalThis.hacked = true'>"; } catch {}
      const script = document.createElement("script");
      script.append("globalThis.hacked = true");
      document.body.append(script);
      fetch("http://127.0.0.2/").catch(() => {});
      document.body.append(Object.assign(new Image(), { src: "http://127.0.0.2/x.png" }));
    })()`);
    await other.until("forbidden.size === 3");
    assert.deepEqual(await other.value("[globalThis.hacked, ...[...forbidden].sort()]"), [
      ...[null, "connect-src", "img-src", "require-trusted-types-for"],
    ]);
    await other.close();
    await page.bringToFront();
  });

  test("filters by what is typed, and says when nothing fits", async () => {
    const places = `[...document.querySelectorAll(".place")].map((place) => place.textContent)`;
    await page.value(`document.querySelector("#filter").focus()`);
    for (const key of "api.ex") await page.press(key, key);
    assert.deepEqual(await page.value(places), ["api.example.com"]);
    for (const key of "zz") await page.press(key, key);
    assert.deepEqual(await page.value(places), []);
    assert.match(await page.text(), /None of \d+ destinations fits the filter/);
    await page.value(`(() => {
      const filter = document.querySelector("#filter");
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
    })()`);
  });

  test("sorts by the column that is asked for, within each group", async () => {
    await page.value(`document.querySelector('th[data-sort="count"] button').click()`);
    assert.equal(await page.value(`document.querySelector('[aria-sort]').innerText`), "Count");
    const counts: string[] = await page.value(
      `[...document.querySelectorAll('tbody.allowed [data-label="Count"]')].map((cell) => cell.textContent)`,
    );
    assert.deepEqual(counts, ["2", "1", "1"]);
    await page.value(`document.querySelector('th[data-sort="name"] button').click()`);
  });

  for (const dark of [false, true])
    test(`is readable in the ${dark ? "dark" : "light"}: no text has less contrast than 4.5 to 1`, async () => {
      await page.look({ dark });
      const [red] = await page.value<number[]>(
        `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)`,
      );
      assert.equal((red ?? 0) < 64, dark);
      assert.deepEqual(await page.value(FAINT_TEXTS), []);
      await page.look({});
    });

  test("fits a phone of 360 pixels, with the longest name there is and everything open", async () => {
    const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(50)}.example.org`;
    await call({ address: REAL, port: 443, tls: longest });
    await page.look({ width: 360, height: 740, phone: true });
    await page.until(rowOf("refused", longest));
    await page.value(
      `document.querySelectorAll(".place-button[aria-expanded=false]").forEach((button) => button.click())`,
    );
    await page.until(`document.querySelectorAll(".details pre").length >= 2`);
    assert.equal(await page.value("document.documentElement.scrollWidth"), 360);
    const beyond = await page.value(`[...document.querySelectorAll("body *")]
      .filter((each) => !each.closest("pre, .scroll") && each.getBoundingClientRect().right > 360)
      .map((each) => each.outerHTML)`);
    assert.deepEqual(beyond, []);
    await page.look({});
  });

  test("rests while it is paused and while nobody sees it, and is up to date at once afterwards", async () => {
    const asked = `performance.getEntriesByType("resource").length`;
    const rests = async () => {
      // What is under way may come in; then, for longer than its interval, nothing more.
      await page.value(`new Promise((resolve) => setTimeout(resolve, 300))`);
      const before = await page.value(asked);
      await page.value(`new Promise((resolve) => setTimeout(resolve, 2_500))`);
      assert.equal(await page.value(asked), before);
    };
    await page.value(`document.querySelector("#pause").click()`);
    assert.match(await page.text(), /paused\s+Resume/);
    await rests();
    await call({ address: HOSTILE, port: 6_379 });
    await page.value(`document.querySelector("#pause").click()`);
    await page.until(rowOf("refused", HOSTILE));
    const other = await bed.browser.open("about:blank");
    await page.until("document.hidden");
    await rests();
    await call({ address: HOSTILE, port: 6_380 });
    await other.close();
    await page.bringToFront();
    await page.until(
      `[...document.querySelectorAll(".notes")].some((notes) => notes.textContent.includes(":6380"))`,
    );
  });

  test("says that the newest policy cannot be used, and that it can again", async () => {
    bed.egress.write("{ this is no policy");
    await page.until(
      `document.querySelector(".notice.problem")?.innerText.includes("is not JSON")`,
    );
    await bed.egress.apply({
      ...POLICY,
      rules: {
        ...POLICY.rules,
        api: [{ hosts: ["tracker.example.org"], ports: [{ port: 443, protocol: "tls" }] }],
      },
    });
    await page.until(`!document.querySelector(".notice.problem")`);
    assert.match(await page.text(), /policy 2/);
  });

  test("in audit mode it says that nothing is refused, and what would be", async () => {
    await bed.egress.apply({ ...POLICY, mode: "audit" });
    await call({ address: REAL, port: 443, tls: "tracker.example.org" });
    await page.until(rowOf("would_be_refused", "tracker.example.org"));
    assert.match(await page.text(), /Audit mode: nothing is refused/);
    assert.match(await page.text(), /Let pass, would be refused 1/);
  });

  test("says when the sidecar cannot be reached, and goes on when it can", async () => {
    const errors = page.errors.length;
    await bed.disconnect();
    await page.until(`document.querySelector(".notice.unreachable")`);
    assert.match(await page.text(), /not reached/);
    assert.ok(await page.value(rowOf("refused", "tracker.example.org")), "what was heard stays");
    await bed.connect();
    await page.until(`!document.querySelector(".notice.unreachable")`);
    await page.until(`document.querySelector("#state").innerText === "live"`);
    // A browser says of each request that it could not be made; that is no fault of the page.
    const more = page.errors.splice(errors);
    assert.deepEqual(
      more.filter((error) => !error.includes("net::ERR_CONNECTION")),
      [],
    );
  });

  test("is one document: it names no file of another place", async () => {
    const { status, body } = await fetched(bed.egress.sidecar.pod, "http://127.0.0.1:15000/", {
      headers: { accept: "text/html" },
    });
    assert.equal(status, 200);
    assert.doesNotMatch(body, /<(script|link|img|iframe)[^>]+(src|href)="(?!data:)|@import|url\(/);
    const { body: plain } = await fetched(bed.egress.sidecar.pod, "http://127.0.0.1:15000/");
    assert.match(plain, /^Sallyport sidecar\n/);
  });
});
