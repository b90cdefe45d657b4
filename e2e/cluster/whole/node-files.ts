import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cniConfig, containerdConfig, FILES, kubeletConfig, proxyConfig } from "./configs.ts";
import { kubeconfigOf } from "./credentials.ts";
import type { Families } from "./plan.ts";

/** Writes what the node's components read, but for keys. JSON is YAML. */
export async function writeNodeFiles(families: Families, pauseImage: string): Promise<void> {
  const files = {
    [FILES.containerd]: containerdConfig(pauseImage),
    [join(FILES.cni, "10-pods.conflist")]: JSON.stringify(cniConfig(families), null, 2),
    [FILES.kubelet]: JSON.stringify(kubeletConfig(), null, 2),
    [FILES.proxy]: JSON.stringify(proxyConfig(families, kubeconfigOf("kube-proxy")), null, 2),
    // The resolver of pods that ask for the node's own: none, for there is nothing outside.
    [FILES.resolver]: "",
    [FILES.names]: "",
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
