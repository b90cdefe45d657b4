/** Whatever the sidecar tells comes from apps, and some are hostile: it becomes text here, never markup. */
export type Child = Node | string | undefined;

export interface Attributes {
  readonly class?: string;
  readonly title?: string;
  readonly role?: string;
  readonly type?: string;
  readonly id?: string;
  readonly scope?: string;
  readonly colspan?: string;
  readonly "aria-controls"?: string;
  readonly "aria-expanded"?: string;
  readonly "aria-hidden"?: string;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Only where it differs: what does not change keeps its selection, and is not told anew by a screen reader. */
export function setText(node: Element, text: string): boolean {
  if (node.textContent === text) return false;
  node.textContent = text;
  return true;
}

/** One that page.html or frame.html has. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** In its place, which is there as long as there is something to say. */
export function say(id: string, text: string): void {
  const place = byId(id);
  place.hidden = text === "";
  setText(place, text);
}

/** Above everything else, as long as there is a text; one of each kind. */
export function notice(kind: string, text: string | undefined): void {
  const id = `notice-${kind}`;
  const found = document.getElementById(id);
  if (text === undefined || text === "") found?.remove();
  else if (found) setText(found, text);
  else byId("notices").append(element("p", { id, class: `notice ${kind}` }, text));
}

/** Children in this order, and no others; what stands right is not moved, what is moved keeps the focus. */
export function arrange(parent: Element, wanted: readonly Element[]): void {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  const focused = document.activeElement;
  wanted.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  if (
    focused !== document.activeElement &&
    focused instanceof HTMLElement &&
    parent.contains(focused)
  )
    focused.focus({ preventScroll: true });
}
