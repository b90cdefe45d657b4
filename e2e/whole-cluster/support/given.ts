import { foreignContext, sources } from "../../cluster/environment.ts";
import { requirePrograms } from "../../cluster/programs.ts";
import { Box } from "../../cluster/whole/box.ts";
import { FILES } from "../../cluster/whole/configs.ts";
import { onlyContext } from "../../cluster/whole/foreign.ts";

export { TOOLS_IMAGE } from "../../cluster/whole/images.ts";

export interface GivenCluster {
  /** The file's path; it knows this one cluster. */
  readonly kubeconfig: string;
  readonly kubectl: string;
}

const foreign = foreignContext();

/** For the `skip` of a test: why it cannot run; false where there is a cluster. */
export const lacking: string | false =
  foreign || Box.find()?.complete
    ? false
    : "NOT TESTED HERE: no cluster is up; npm run e2e raises one and installs Sallyport on it";

let given: GivenCluster | undefined;

/** The context that SALLYPORT_E2E_CONTEXT names, else the test cluster that is up. */
export function givenCluster(): GivenCluster {
  given ??= {
    kubeconfig: foreign ? onlyContext(foreign) : FILES.kubeconfig,
    kubectl: requirePrograms(["kubectl"], sources()).kubectl,
  };
  return given;
}
