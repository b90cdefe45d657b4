import { sources } from "../../cluster/environment.ts";
import { requirePrograms } from "../../cluster/programs.ts";

export { TOOLS_IMAGE } from "../../cluster/whole/images.ts";

export interface GivenCluster {
  /** The file's path; it knows this one cluster. */
  readonly kubeconfig: string;
  readonly kubectl: string;
}

/** Set by `npm run e2e`, which has brought the cluster up and installed Sallyport on it. */
const kubeconfig = process.env.SALLYPORT_CLUSTER || undefined;

/** For the `skip` of a test: why it cannot run; false where there is a cluster. */
export const lacking: string | false = kubeconfig
  ? false
  : "NOT TESTED HERE: no cluster with Sallyport is given; npm run e2e gives one";

export function givenCluster(): GivenCluster {
  if (!kubeconfig) throw new Error("no cluster is given");
  return { kubeconfig, kubectl: requirePrograms(["kubectl"], sources()).kubectl };
}
