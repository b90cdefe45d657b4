import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import type { ForeignContext } from "../environment.ts";
import { command } from "./command.ts";

/**
 * A kubeconfig with one context and no other, the one that was named: whoever uses the file cannot reach another cluster by
 * mistake. It is removed when this process ends.
 */
export function onlyContext({ context, kubeconfig }: ForeignContext): string {
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  const chosen = config.getContextObject(context);
  const cluster = chosen && config.getCluster(chosen.cluster);
  const user = chosen && config.getUser(chosen.user);
  if (!cluster || !user)
    throw new Error(
      `no context ${context} in the kubeconfig, which has: ${config
        .getContexts()
        .map(({ name }) => name)
        .join(", ")}`,
    );
  const alone = new KubeConfig();
  alone.loadFromOptions({
    clusters: [cluster],
    users: [user],
    contexts: [chosen],
    currentContext: context,
  });
  const folder = mkdtempSync(join(tmpdir(), "sallyport-context-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "kubeconfig");
  writeFileSync(file, alone.exportConfig(), { mode: 0o600 });
  return file;
}

/** With the command that was given for it (`kind load image-archive`, `k3s ctr images import`); without one, whoever gave the context has seen to the images. */
export async function loadForeign(
  load: string | undefined,
  files: readonly string[],
): Promise<void> {
  if (load) for (const file of files) await command("sh", "-c", `${load} "$1"`, "sh", file);
}
