/** Every word of a filter is somewhere in it. */
export function fits(filter: string, text: string): boolean {
  const all = text.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
