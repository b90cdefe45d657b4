import { byId, notice, setText } from "./dom.ts";
import { formatAgo } from "./format.ts";

/** Shows whether the page's server answers; what it told last stays. */
export class Reach {
  #heardMs: number | undefined;

  heard(): void {
    this.#heardMs = performance.now();
    document.body.classList.remove("unreachable");
    setText(byId("state"), "live");
    notice("unreachable", undefined);
  }

  /** `what` is wrong, as a sentence without its full stop. */
  lost(what: string): void {
    document.body.classList.add("unreachable");
    setText(byId("state"), "not reached");
    const heard =
      this.#heardMs === undefined
        ? ""
        : ` What stands below was heard ${formatAgo(performance.now() - this.#heardMs)}.`;
    notice("unreachable", `${what}.${heard}`);
  }
}
