import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { type Permission, permissionsFor } from "@sallyport/cli/check/permissions";
import { parseAllDocuments } from "yaml";

const MANIFESTS = resolve(import.meta.dirname, "../../../manifests/install.yaml");
const INSTALL = "sallyport-system";

// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind
const objects: any[] = parseAllDocuments(readFileSync(MANIFESTS, "utf8")).map((one) => one.toJS());
const args: string[] = objects.find(({ kind }) => kind === "Deployment").spec.template.spec
  .containers[0].args;

test("what a check asks that the controller may do is what the chart's roles permit it, and no more", () => {
  const granted = objects
    .filter(({ kind }) => kind === "Role" || kind === "ClusterRole")
    .filter(({ metadata }) => metadata.name === "sallyport-controller")
    .flatMap(({ rules, metadata: { namespace } }) =>
      rules.flatMap((rule: Record<string, string[]>) =>
        (rule.verbs ?? []).flatMap((verb) =>
          (rule.apiGroups ?? []).flatMap((group) =>
            (rule.resources ?? []).flatMap((resource) =>
              (rule.resourceNames ?? [undefined]).map((name) => ({
                ...{ verb, group, resource },
                ...(name !== undefined && { name }),
                ...(namespace !== undefined && { namespace }),
              })),
            ),
          ),
        ),
      ),
    );
  const inOrder = (list: readonly Permission[]) =>
    list
      .map(({ verb, group, resource, name = "", namespace = "" }) =>
        [group, resource, name, namespace, verb].join(" "),
      )
      .sort();
  assert.deepEqual(inOrder(permissionsFor(args, INSTALL)), inOrder(granted));
});

test("a controller without access to the API needs no permission", () => {
  assert.deepEqual(permissionsFor(["--port", "8443"], INSTALL), []);
});

test("a controller that shares nothing reads no Secret", () => {
  const others = args.filter((arg) => !/^--(certificate|seal)-secret/.test(arg));
  const needed = permissionsFor(others, INSTALL);
  assert.deepEqual(
    needed.filter(({ resource }) => resource === "secrets"),
    [],
  );
  assert.ok(needed.some(({ resource }) => resource === "mutatingwebhookconfigurations"));
});
