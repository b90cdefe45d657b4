import { commandsUnder } from "./quick-start.ts";
import { Terminal } from "./typed.ts";

/** The last thing that controllers bring about by themselves, some 20 seconds after they are ready. */
const GUARDED =
  "kubectl wait validatingwebhookconfiguration/sallyport --for=jsonpath='{.webhooks[0].failurePolicy}'=Fail --timeout=2m";
const NAMESPACE = "--namespace sallyport-system";

/** Sallyport on a cluster, by the commands of docs/quick-start.md. */
export class Installation {
  readonly #kubeconfig: string;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  async isThere(): Promise<boolean> {
    return (await this.#type(`helm list ${NAMESPACE} --short`)).includes("sallyport\n");
  }

  async make(): Promise<void> {
    await this.#type(...commandsUnder("Install"), GUARDED);
  }

  /** An earlier run has left it: the images may have changed since, though not their names. */
  async renew(): Promise<void> {
    await this.#type(
      `helm upgrade sallyport charts/sallyport ${NAMESPACE} --wait`,
      `kubectl rollout restart deployment sallyport-controller ${NAMESPACE}`,
      `kubectl rollout status deployment sallyport-controller ${NAMESPACE}`,
      GUARDED,
    );
  }

  async remove(): Promise<void> {
    await this.#type(...commandsUnder("Uninstall"));
  }

  async #type(...lines: readonly string[]): Promise<string> {
    await using terminal = new Terminal(this.#kubeconfig);
    const printed: string[] = [];
    for (const line of lines) printed.push(await terminal.type(line));
    return printed.join("");
  }
}
