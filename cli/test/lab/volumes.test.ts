import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Container, Pod, Volume, VolumeMount } from "@sallyport/cli/lab/pod";
import { configMapMounts, mountCommands } from "@sallyport/cli/lab/volumes";

const FOLDERS = { authorities: "/folder/of/authorities" };
const VOLUME: Volume = {
  name: "ca",
  configMap: { name: "authorities", items: [{ key: "ca.crt", path: "root.pem" }] },
};
const MOUNT: VolumeMount = { name: "ca", mountPath: "/opt/ca" };

function mountsOf(volume: Volume, mount: VolumeMount) {
  const container: Container = { name: "proxy", image: "x", volumeMounts: [mount] };
  const pod: Pod = { metadata: {}, spec: { containers: [container], volumes: [volume] } };
  return configMapMounts(pod, container, FOLDERS);
}

test("the items of a ConfigMap are mounted under their paths", () => {
  assert.deepEqual(mountsOf(VOLUME, MOUNT), [
    { folder: "/folder/of/authorities", mountPath: "/opt/ca", files: [["root.pem", "ca.crt"]] },
  ]);
});

test("a container that mounts nothing has nothing", () => {
  const pod: Pod = { metadata: {}, spec: { containers: [], volumes: [VOLUME] } };
  assert.deepEqual(configMapMounts(pod, { name: "app", image: "x" }, {}), []);
});

for (const [what, volume, mount, why] of [
  ["an emptyDir", { name: "ca" }, MOUNT, "only ConfigMaps are played"],
  ["a volume that is not there", { ...VOLUME, name: "x" }, MOUNT, "only ConfigMaps are played"],
  [
    "a ConfigMap that is not there",
    { name: "ca", configMap: { name: "other", items: [] } },
    MOUNT,
    "there is no ConfigMap other",
  ],
  ["a place of the machine's", VOLUME, { ...MOUNT, mountPath: "/etc" }, "/etc is not in /opt/"],
  ["a part of it", VOLUME, { ...MOUNT, subPath: "x" }, "only the items of a whole volume"],
  [
    "a whole ConfigMap",
    { name: "ca", configMap: { name: "authorities" } },
    MOUNT,
    "only the items of a whole volume",
  ],
] as const)
  test(`${what} cannot be played, and says so`, () => {
    assert.throws(() => mountsOf(volume, mount), {
      message: new RegExp(`^container proxy: cannot mount volume ca here: ${why}`),
    });
  });

test("what the shell could take for its own stays text", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-volumes-"));
  try {
    writeFileSync(join(folder, "key"), "content");
    const path = 'it\'s $HOME `x` "y"';
    const mount = { folder: "/x", mountPath: folder, files: [[path, "../key"]] as const };
    const [link] = mountCommands(mount).filter((command) => command.startsWith("ln "));
    execFileSync("mkdir", [join(folder, "..data")]);
    execFileSync("sh", ["-euc", link ?? "false"]);
    assert.equal(readFileSync(join(folder, path), "utf8"), "content");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
