/**
 * For a page: the texts it shows whose contrast with what is behind them is below WCAG 2.2's 4.5:1 (success criterion
 * 1.4.3), as `text ratio`. Colours there are opaque, so the nearest background counts.
 */
export const FAINT_TEXTS = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if ((channels(backgroundColor)[3] ?? 1) > 0) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const { parentElement: of, data } = texts.currentNode;
    if (data.trim() === "" || ["SCRIPT", "STYLE", "OPTION"].includes(of.tagName)) continue;
    if (!of.checkVisibility()) continue;
    const pair = [luminance(getComputedStyle(of).color), luminance(behind(of))].sort();
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) faint.push(data.trim() + " " + ratio.toFixed(2));
  }
  return faint;
})()`;
