import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Running } from "../running.ts";
import type { Box } from "./box.ts";
import { PLAN } from "./plan.ts";
import { runningIn } from "./wellness.ts";

const API_SERVER = "kube-apiserver";

/** A component that was killed, and can be started again as it was. */
export interface Killed {
  restart(): Promise<void>;
}

/** SIGKILL to the API server. Whoever asks it is refused the connection until it is started again. */
export async function killApiServer(box: Box): Promise<Killed> {
  const pid = runningIn(box, [API_SERVER]).get(API_SERVER);
  if (pid === undefined) throw new Error(`no ${API_SERVER} runs`);
  const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
  process.kill(pid, "SIGKILL");
  return {
    restart: async () => {
      const log = join(PLAN.state, "logs", `${API_SERVER}-restarted.log`);
      const server = new Running(API_SERVER, box.enter(...argv), { log, tied: false });
      await server.until(async () => runningIn(box, [API_SERVER]).has(API_SERVER), 30);
    },
  };
}

/** Forgets all history up to now: whoever asks for what has changed since a moment before is told that it is gone. */
export async function compactEtcd(box: Box): Promise<void> {
  const ask = async (path: string, body: object) =>
    JSON.parse(
      await box.run(
        ...["curl", "--silent", "--fail", "--show-error", "--max-time", "10"],
        ...["--data", JSON.stringify(body), `http://127.0.0.1:2379/v3/kv/${path}`],
      ),
    );
  const { header } = await ask("range", { key: "AA==", limit: 1 });
  await ask("compaction", { revision: header.revision, physical: true });
}
