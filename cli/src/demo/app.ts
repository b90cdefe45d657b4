import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Host, startContainer } from "../lab/container.ts";
import type { Container, Pod } from "../lab/pod.ts";
import type { Task } from "./app-main.ts";
import type { Attempt, Seen } from "./attempt.ts";

/** Starts the demo's app in the pod. */
export type App = (task: Omit<Task, "ca">) => ChildProcess;

/** `ca`, PEM, is whom it trusts. */
export function appIn(pod: Pod, host: Host, ca: string): App {
  const program = join(import.meta.dirname, "app-main.ts");
  return (task) => {
    const command = [process.execPath, program, JSON.stringify({ ...task, ca })];
    return startContainer(pod, appContainer(pod, command), host, ["ignore", "pipe", "inherit"]);
  };
}

/** What the app saw of each attempt. */
export async function attempt(app: App, attempts: readonly Attempt[]): Promise<Seen[]> {
  const child = app({ attempts });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  await once(child, "close");
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The pod's own app container with another command. */
export function appContainer({ spec }: Pod, command: readonly string[]): Container {
  const app = spec.containers.find(({ name }) => name === "app");
  if (!app) throw new Error("the patched pod has lost its app");
  return { ...app, command };
}
