import assert from "node:assert/strict";
import { test } from "node:test";
import { prefersJson } from "../../src/http/message/accept.ts";

for (const [accept, prefers] of [
  [undefined, false],
  ["", false],
  [" */*", false],
  [" text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
  [" application/json", true],
  [" Application/JSON ; charset=utf-8", true],
  [" application/json, text/plain, */*", true],
  [" text/plain, application/json", false],
  [" text/plain;q=0.5, application/json", true],
  [" text/html, application/json;q=0.9", false],
  [" application/vnd.api+json", true],
  [" application/json;q=0", false],
  [" application/json;q=x", false],
  [" application/jsonp", false],
  [" */*, application/json;q=0.1", false],
] as const)
  test(`Accept:${accept ?? " is not there"}: ${prefers ? "JSON" : "text"}`, () => {
    assert.equal(prefersJson(accept), prefers);
  });
