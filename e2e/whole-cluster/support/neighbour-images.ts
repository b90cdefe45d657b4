import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "@sallyport/core/version";
import { configOf, unpack } from "../../../scripts/images/archive.ts";
import { buildImages, type ImageName, REGISTRY } from "../../../scripts/images/build.ts";
import { sources } from "../../cluster/environment.ts";
import { Box } from "../../cluster/whole/box.ts";
import { packImage } from "../../cluster/whole/image-archive.ts";
import { loadImages } from "../../cluster/whole/load-images.ts";

const numbers = VERSION.split(".").map(Number);
const [major = 0, minor = 0] = numbers;
/** The minor versions beside this one; before the first of a series there is none, and a number that none has had serves. */
export const NEXT = `${major}.${minor + 1}.0`;
export const PREVIOUS = minor > 0 ? `${major}.${minor - 1}.9` : VERSION;

/** A key that this version does not know, which the next one's controller says to sidecars. */
export const NEW_KEY = "madeUpByTheNextVersion";

/** How a program of that version differs from ours, in the text of its bundle. */
const changes = (version: string, image: ImageName): readonly (readonly [RegExp, string])[] => {
  const stamp = [new RegExp(`(?<=VERSION=)"${VERSION}"`), `"${version}"`] as const;
  if (version !== NEXT) return [stamp];
  if (image === "controller")
    return [stamp, [/accessLog:options\.accessLog/, `${NEW_KEY}:"yes",$&`]];
  if (image === "proxy") return [stamp, [/madeBy:(\w+\(\)\.optional\(\)),/, `$&${NEW_KEY}:$1,`]];
  return [stamp];
};

/** Images as a neighbouring version would be, under its tag, on the node: our programs, which say another version. */
export async function loadNeighbours(version: string, only: readonly ImageName[]): Promise<void> {
  const node = Box.find();
  if (!node) throw new Error("no node of ours is up");
  const folder = await mkdtemp(join(tmpdir(), "sallyport-neighbour-"));
  try {
    const files: string[] = [];
    const { cache } = sources();
    for (const { image, file } of await buildImages({ cache, tag: VERSION, only })) {
      const root = join(folder, image);
      await unpack(file, root);
      const program = join(root, `opt/sallyport/${image}.cjs`);
      await writeFile(program, changed(await readFile(program, "utf8"), changes(version, image)));
      const archive = join(folder, `${image}.tar`);
      const { User = "0:0", Entrypoint = [] } = await configOf(file);
      await packImage(`${REGISTRY}/${image}:${version}`, root, { User, Entrypoint }, archive);
      await rm(root, { recursive: true });
      files.push(archive);
    }
    await loadImages(node, files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function changed(text: string, replacements: ReturnType<typeof changes>): string {
  return replacements.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`the bundle has no ${from}`);
    return after;
  }, text);
}
