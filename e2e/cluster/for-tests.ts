import { lackingApiServer, startApiServer } from "./api-server.ts";
import { ENVIRONMENT, foreignContext } from "./environment.ts";
import { Box } from "./whole/box.ts";
import { lackingWholeCluster } from "./whole/needs.ts";
import { type UpOptions, up } from "./whole/up.ts";

/** What a test runner adds to the environment of its tests, and calls when they are done. */
export interface ForTests {
  readonly environment: Readonly<Record<string, string>>;
  /** Why there is no cluster, in one line. */
  readonly skipped: string | undefined;
  stop(): Promise<void>;
}

const NOTHING: ForTests = { environment: {}, skipped: undefined, stop: async () => {} };

/** One API server for all test files of a run, where one can be started. */
export async function startForTests(): Promise<ForTests> {
  const lacking = lackingApiServer();
  if (lacking) return { ...NOTHING, skipped: lacking };
  const server = await startApiServer();
  return {
    environment: { [ENVIRONMENT.apiServer]: server.kubeconfig },
    skipped: undefined,
    stop: () => server.stop(),
  };
}

/** The whole cluster for all test files of a run, where it can be started; one that is up already stays up. */
export async function startWholeForTests(say: UpOptions["say"]): Promise<ForTests> {
  if (foreignContext() || Box.find()?.complete) return NOTHING;
  const lacking = lackingWholeCluster();
  if (lacking) return { ...NOTHING, skipped: lacking };
  await up({ tied: true, ...(say && { say }) });
  return { ...NOTHING, stop: () => Box.remove() };
}
