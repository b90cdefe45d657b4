import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "./until.ts";

test("a controller that a test has started does not outlive the test's process, killed or not", async () => {
  const starting = `
    const { ControllerProcess } = await import(${JSON.stringify(join(import.meta.dirname, "controller-process.ts"))});
    const controller = new ControllerProcess(["--port", "0"]);
    await controller.line("listening");
    console.log(controller.child.pid);`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", starting], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = await once(parent.stdout.setEncoding("utf8"), "data");
  const gone = async () => !existsSync(`/proc/${Number(pid)}`);
  assert.equal(await gone(), false);
  parent.kill("SIGKILL");
  try {
    await until("it is gone", gone, Boolean, 5);
  } finally {
    if (!(await gone())) process.kill(Number(pid), "SIGKILL");
  }
});
