import { RunningKubectl } from "./running-kubectl.ts";

export interface PortForward extends AsyncDisposable {
  /** On loopback, any that is free. */
  readonly port: number;
}

export async function portForward(
  namespace: string,
  target: string,
  port: number,
): Promise<PortForward> {
  const kubectl = new RunningKubectl("port-forward", target, `:${port}`, "--namespace", namespace);
  try {
    const local = await kubectl.line(
      (line) => /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1],
    );
    return { port: Number(local), [Symbol.asyncDispose]: () => kubectl[Symbol.asyncDispose]() };
  } catch (error) {
    await kubectl[Symbol.asyncDispose]();
    throw error;
  }
}
