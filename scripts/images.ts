/** `npm run images`: the three images, with whatever builds images here, and how large they are. */
import { copyFile, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { sizesOf } from "./images/archive.ts";
import { buildImages, REGISTRY } from "./images/build.ts";
import { findTool, TOOLS } from "./images/tools.ts";

const HELP = `npm run images -- [options]: builds the images for proxy, init and controller

  --tool docker|podman|buildah  build with this (the first of them that is here and answers)
  --registry NAME               name them NAME/proxy and so on (${REGISTRY})
  --tag TAG                     the version (${manifest.version})
  --archive FOLDER              also write FOLDER/proxy.tar and so on: OCI archives
  --push                        push them to the registry
  --help
`;

const { values } = parseArgs({
  options: {
    tool: { type: "string" },
    registry: { type: "string", default: REGISTRY },
    tag: { type: "string", default: manifest.version },
    archive: { type: "string" },
    push: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(HELP);
  const asked = TOOLS.find((name) => name === values.tool);
  if (values.tool !== undefined && asked === undefined)
    throw new Error(`--tool ${values.tool}: expected ${TOOLS.join(", ")}`);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sallyport");
  const tool = await findTool(cache, asked);
  const { registry, tag } = values;
  const images = await buildImages({ cache, registry, tag, tool: tool.name, fresh: values.push });
  for (const { image, name, file } of images) {
    const { unpacked, fetched } = await sizesOf(file);
    console.log(`${name}  ${megabytes(fetched)} to fetch, ${megabytes(unpacked)} on disk`);
    if (values.archive !== undefined) {
      const folder = resolve(values.archive);
      await mkdir(folder, { recursive: true });
      await copyFile(file, join(folder, `${image}.tar`));
    }
    if (values.push) await tool.push(name);
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
