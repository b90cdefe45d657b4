import { foreignContext } from "../environment.ts";
import { Box } from "./box.ts";
import { FILES } from "./configs.ts";
import { loadForeign, onlyContext } from "./foreign.ts";
import { loadImages } from "./load-images.ts";
import { lackingWholeCluster } from "./needs.ts";
import { up } from "./up.ts";

/** A cluster that runs pods. */
export interface Cluster {
  /** The file's path; its only context is the cluster's. */
  readonly kubeconfig: string;
  /** Brings archives of images to where pods find them, by the names that they bear. */
  loadImages(files: readonly string[]): Promise<void>;
  /** Its node and the world beyond; none where the cluster is somebody else's. */
  readonly node: Box | undefined;
}

const foreign = foreignContext();

/** For the `skip` of a test that calls `useCluster`: why there is none; false where there is. */
export const lacking: string | false = foreign ? false : lackingWholeCluster();

let used: Promise<Cluster> | undefined;

/**
 * The context that SALLYPORT_E2E_CONTEXT names, else the cluster that is up, else one that is raised now and ends with this
 * process.
 */
export function useCluster(): Promise<Cluster> {
  used ??= foreign
    ? Promise.resolve({
        kubeconfig: onlyContext(foreign),
        loadImages: (files) => loadForeign(foreign.load, files),
        node: undefined,
      })
    : ownCluster();
  return used;
}

async function ownCluster(): Promise<Cluster> {
  const standing = Box.find();
  const node = standing?.complete ? standing : await up({ tied: true });
  return {
    kubeconfig: FILES.kubeconfig,
    loadImages: (files) => loadImages(node, files),
    node,
  };
}
