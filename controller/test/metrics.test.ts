import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSION } from "@sallyport/core/version";
import { createMetrics } from "../src/metrics.ts";
import { POD, reviewOf, startBed } from "./server-bed.ts";

const NOT_AFTER = new Date(1_800_000_000_500);

test("requests are counted by webhook and verdict, their durations cumulatively by bucket", () => {
  const metrics = createMetrics();
  for (const seconds of [0.0005, 0.001, 0.02, 9]) metrics.admitted("pods", "changed", seconds);
  metrics.admitted("workloads", "unchanged", 0.3);
  const text = metrics.text({ certificateNotAfter: NOT_AFTER, leading: true });
  for (const line of [
    `sallyport_build_info{version="${VERSION}"} 1`,
    'sallyport_admission_requests_total{webhook="pods",verdict="changed"} 4',
    'sallyport_admission_requests_total{webhook="workloads",verdict="unchanged"} 1',
    'sallyport_admission_duration_seconds_bucket{webhook="pods",le="0.001"} 2',
    'sallyport_admission_duration_seconds_bucket{webhook="pods",le="0.01"} 2',
    'sallyport_admission_duration_seconds_bucket{webhook="pods",le="0.025"} 3',
    'sallyport_admission_duration_seconds_bucket{webhook="pods",le="2.5"} 3',
    'sallyport_admission_duration_seconds_bucket{webhook="pods",le="+Inf"} 4',
    'sallyport_admission_duration_seconds_sum{webhook="pods"} 9.0215',
    'sallyport_admission_duration_seconds_count{webhook="pods"} 4',
    'sallyport_admission_duration_seconds_bucket{webhook="workloads",le="0.25"} 0',
    "sallyport_certificate_not_after_timestamp_seconds 1800000000",
    "sallyport_leader 1",
  ])
    assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
});

test("every line is a comment, or a name, labels and a number; every family is declared before its samples", () => {
  const metrics = createMetrics();
  metrics.admitted("final-pods", "refused", 0.002);
  const text = metrics.text({ certificateNotAfter: NOT_AFTER, leading: false });
  assert.ok(text.endsWith("\n"));
  const declared = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const [, type] = /^# TYPE (\w+) (?:counter|gauge|histogram)$/.exec(line) ?? [];
    if (type) declared.add(type);
    if (line.startsWith("#")) continue;
    const [, name = ""] = /^(\w+)(?:\{(?:\w+="[^"\\]*",?)+\})? -?[\d.e+-]+$/.exec(line) ?? [];
    assert.ok(declared.has(name.replace(/_(bucket|sum|count)$/, "")), line);
  }
});

test("where nobody leads nothing is said of leading", () => {
  const text = createMetrics().text({ certificateNotAfter: NOT_AFTER, leading: undefined });
  assert.doesNotMatch(text, /leader/);
});

test("GET /metrics tells what was answered, until when the certificate is valid, and only by GET", async () => {
  await using bed = await startBed();
  await bed.send("/mutate/pods/all", JSON.stringify(reviewOf(POD)));
  await bed.send("/mutate/pods/all", "{}"); // not answered with a review: not counted
  const { status, headers, text } = await bed.send("/metrics", "", {}, "GET");
  assert.equal(status, 200);
  assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^sallyport_admission_requests_total\{webhook="pods",verdict="changed"\} 1$/m);
  const notAfter = Math.floor(bed.source.current.notAfter.getTime() / 1_000);
  assert.match(
    text,
    new RegExp(`^sallyport_certificate_not_after_timestamp_seconds ${notAfter}$`, "m"),
  );
  assert.equal((await bed.send("/metrics", "")).status, 405);
});
