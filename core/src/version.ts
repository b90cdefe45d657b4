/** Of everything here: programs, images and chart are released together (scripts/test/structure.test.ts). */
export const VERSION: string = "0.1.0";

/** Semantic versions (semver.org §2) of one release series that are one minor version apart, or none. */
export function areNeighbours(a: string, b: string): boolean {
  const [one, other] = [numbersOf(a), numbersOf(b)];
  return (
    one !== undefined &&
    other !== undefined &&
    one.major === other.major &&
    Math.abs(one.minor - other.minor) <= 1
  );
}

function numbersOf(version: string): { major: number; minor: number } | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(version) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
