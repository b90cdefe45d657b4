import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { ACCESS_DENIED } from "../../src/sniff/alert.ts";
import { loopbackServer } from "../support/loopback-server.ts";

for (const version of ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"])
  test(`openssl s_client ${version} understands that access is denied`, async (t) => {
    const server = await loopbackServer((socket) =>
      socket.once("data", () => socket.end(ACCESS_DENIED)),
    );
    t.after(() => server.close());
    const client = spawn(
      "openssl",
      [
        "s_client",
        "-connect",
        `127.0.0.1:${server.port}`,
        version,
        "-cipher",
        "DEFAULT@SECLEVEL=0",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    client.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    await new Promise((closed) => client.once("close", closed));
    assert.match(said, /alert access denied.*SSL alert number 49/);
  });
