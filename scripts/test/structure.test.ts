import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { VERSION } from "@sallyport/core/version";

const ROOT = resolve(import.meta.dirname, "../..");
const sources = (workspace: string) => globSync(`${workspace}/{src,native}/**/*.ts`, { cwd: ROOT });
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const importsOf = (file: string) =>
  [...read(file).matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );

/** What each workspace may import of the others. Dependencies point one way. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  init: ["core"],
  proxy: ["core"],
  controller: ["core", "init", "proxy"],
  cli: ["core", "init", "proxy", "controller"],
  bench: ["core", "init", "proxy", "controller", "cli"],
};

for (const [workspace, allowed] of Object.entries(MAY_IMPORT))
  test(`${workspace} imports of the other workspaces only ${allowed.join(", ") || "nothing"}`, () => {
    for (const file of sources(workspace))
      for (const name of importsOf(file)) {
        const other = /^@sallyport\/([^/]+)/.exec(name)?.[1];
        assert.ok(!other || other === workspace || allowed.includes(other), `${file}: ${name}`);
      }
  });

test("the controller imports of init and proxy their contracts only", () => {
  for (const file of sources("controller"))
    for (const name of importsOf(file))
      assert.doesNotMatch(name, /^@sallyport\/(init|proxy)\/(?!contract$)/, file);
});

for (const workspace of Object.keys(MAY_IMPORT))
  test(`no file of ${workspace} imports itself, however far around`, () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      assert.ok(!path.includes(file), [...path, file].join(" → "));
      if (done.has(file)) return;
      for (const name of importsOf(file).filter((each) => each.startsWith(".")))
        visit(relative(ROOT, resolve(ROOT, dirname(file), name)), [...path, file]);
      done.add(file);
    };
    for (const file of sources(workspace)) visit(file, []);
  });

test("core is pure: it imports zod and itself, and asks no clock", () => {
  assert.ok(sources("core").length > 0);
  for (const file of sources("core")) {
    for (const name of importsOf(file)) assert.match(name, /^(zod|\.\.?\/.*\.ts)$/, file);
    assert.doesNotMatch(read(file), /Date\.now|new Date\(\)|performance\.|process\./, file);
  }
});

test("the sidecar loads nothing but node, zod, core and its addon", () => {
  for (const file of sources("proxy"))
    for (const name of importsOf(file))
      assert.match(name, /^(node:.*|zod|node-gyp-build|@sallyport\/core\/.*|\.\.?\/.*)$/, file);
});

test("only a main reads the environment and the arguments or ends the process", () => {
  const programs = ["core", "init", "proxy", "controller", "cli"].flatMap(sources);
  for (const file of programs.filter((name) => !/main\.ts$|native\/build\.ts$/.test(name)))
    assert.deepEqual(read(file).match(/process\.(?:argv|env|exit\()/g) ?? [], [], file);
});

for (const document of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
  test(`the files that ${document} names exist`, () => {
    const text = read(document);
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? "");
    const names = [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)+\.\w+)`/g)].map(
      (match) => match[1] ?? "",
    );
    const files = [...links, ...names].filter((name) => !name.includes("://"));
    assert.ok(files.length > 0);
    for (const file of files) assert.ok(existsSync(join(ROOT, file)), file);
  });

test("every package bears the one version", () => {
  const files = globSync("{package.json,*/package.json}", { cwd: ROOT });
  assert.ok(files.length >= 8);
  for (const file of files) assert.equal(JSON.parse(read(file)).version, VERSION, file);
});

test("what runs in pods takes functions of zod, never its insides by their namespace, which would bring all of them", () => {
  for (const workspace of ["core", "init", "proxy"])
    for (const file of sources(workspace)) assert.doesNotMatch(read(file), /\bz\.core\./, file);
});
