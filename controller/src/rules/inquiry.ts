/** A pod that a slice names at an address at which it is not known. */
export interface UnheardPod {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
}

/** Takes over what the API server says of a pod now. */
export type AskForPod = (pod: UnheardPod) => Promise<void>;

/** A slice names what it likes: in so long a time so many are asked for, and then it is taken at its word. */
const LIMITS = { pods: 50, ms: 2_000 } as const;

/**
 * The news of a slice may come before those of its new pods, which until then look like addresses outside of the cluster:
 * nobody's connections are to be cut for that. Each is asked for once, as long as it is named.
 */
export class Inquiry {
  readonly #ask: AskForPod;
  #asked = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(ask: AskForPod) {
    this.#ask = ask;
  }

  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Whether it has to be waited for; `onEnd` is called then. */
  about(unheard: readonly UnheardPod[], onEnd: () => void): boolean {
    if (this.#running) return true;
    const keys = new Map(unheard.map((pod) => [keyOf(pod), pod]));
    const fresh = [...keys].filter(([key]) => !this.#asked.has(key)).map(([, pod]) => pod);
    this.#asked = new Set(keys.keys());
    if (fresh.length === 0) return false;
    this.#running = this.#askAll(fresh.slice(0, LIMITS.pods)).finally(() => {
      this.#running = undefined;
      onEnd();
    });
    return true;
  }

  async #askAll(pods: readonly UnheardPod[]): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LIMITS.ms);
    let isOver = false;
    const all = async () => {
      // What cannot be asked for stays as it looks.
      for (const pod of pods) if (!isOver) await this.#ask(pod).catch(() => {});
    };
    await Promise.race([all(), late.promise]);
    isOver = true;
    clearTimeout(timer);
  }
}

function keyOf({ namespace, name, address }: UnheardPod): string {
  return `${namespace}/${name} ${address}`;
}
