import { Box } from "../../cluster/whole/box.ts";

/** For a test's `skip`: only on a node of our own can we kill what runs in a container. */
export const cannotKill: string | false =
  Box.find() === undefined && "kills processes of containers, on a node that is not ours";

/** SIGKILL to a container's first process, as a crash or the kernel's out-of-memory killer would; by its id, as in a pod's status. */
export async function killContainer(containerId: string): Promise<void> {
  const id = containerId.replace(/^containerd:\/\//, "");
  const box = Box.find();
  if (!box) throw new Error("no node of ours is up");
  await box.run("ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", id);
}
