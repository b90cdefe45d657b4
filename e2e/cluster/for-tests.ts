import { lackingApiServer, startApiServer } from "./api-server.ts";
import { ENVIRONMENT } from "./environment.ts";

/** What a test runner adds to the environment of its tests, and calls when they are done. */
export interface ForTests {
  readonly environment: Readonly<Record<string, string>>;
  /** Why there is no API server, in one line. */
  readonly skipped: string | undefined;
  stop(): Promise<void>;
}

/** One API server for all test files of a run, where one can be started. */
export async function startForTests(): Promise<ForTests> {
  const lacking = lackingApiServer();
  if (lacking) return { environment: {}, skipped: lacking, stop: async () => {} };
  const server = await startApiServer();
  return {
    environment: { [ENVIRONMENT.apiServer]: server.kubeconfig },
    skipped: undefined,
    stop: () => server.stop(),
  };
}
