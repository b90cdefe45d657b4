const EVERY_MS = 2_000;

/** Asks every two seconds, unless it is paused or nobody can see the page. */
export class Polling {
  readonly #ask: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #paused = false;

  /** `ask` tells of its failures itself. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
    document.addEventListener("visibilitychange", () => this.wake());
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Asks at once, where it may ask at all. */
  wake(): void {
    clearTimeout(this.#timer);
    if (this.#paused || document.hidden || this.#asking) return;
    this.#asking = true;
    void this.#ask().finally(() => {
      this.#asking = false;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.wake(), EVERY_MS);
    });
  }

  /** Paused, or live again. */
  toggle(): void {
    this.#paused = !this.#paused;
    this.wake();
  }
}

/** JSON of this page's own server. Undefined where the answer is of the status `none`. */
export async function get<T>(path: string, patienceMs: number, none?: number): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.timeout(patienceMs) });
  if (response.status === none) return undefined as T;
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}
