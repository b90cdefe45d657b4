import { byId, setText } from "./dom.ts";
import type { Polling } from "./polling.ts";

/** The button that holds the page still, and says so. */
export function pausedBy(button: HTMLElement, feed: Polling): void {
  button.addEventListener("click", () => {
    feed.toggle();
    button.setAttribute("aria-pressed", String(feed.isPaused));
    setText(button, feed.isPaused ? "Resume" : "Pause");
    setText(byId("state"), feed.isPaused ? "paused" : "live");
    document.body.classList.toggle("paused", feed.isPaused);
  });
}
