import { canonicalAddress, parseCidr } from "@sallyport/core/address";
import { canonicalName } from "@sallyport/core/hostname";
import { parseResolver } from "@sallyport/core/resolver";
import type { Labels } from "@sallyport/core/selector";
import { Cluster } from "@sallyport/core/snapshot";
import { BadInput } from "./io.ts";
import { type Resolve, resolveBy } from "./resolve.ts";

/** What every command takes that judges: about the pod, its cluster and its DNS. */
export const SETTING_OPTIONS = {
  file: { type: "string", short: "f", multiple: true },
  namespace: { type: "string", short: "n" },
  labels: { type: "string", short: "l" },
  "namespace-labels": { type: "string" },
  cluster: { type: "string" },
  answer: { type: "string", multiple: true },
  resolve: { type: "boolean" },
  resolver: { type: "string" },
  output: { type: "string", short: "o", default: "text" },
  help: { type: "boolean", short: "h" },
} as const;

export const SETTING_HELP = `\
  -f, --file NAME           rules and boundaries: a file, a folder (its .yaml, .yml and .json), or - for standard input;
                            repeatable
  -n, --namespace NAME      the pod's namespace
  -l, --labels a=b,…        the pod's labels; without them, rules that select pods by label do not count
      --namespace-labels …  its namespace's, for boundaries; kubernetes.io/metadata.name is known
      --cluster CIDR,…      the cluster's own pod and Service ranges, which need no rule
      --answer NAME=ADDR,…  what a name resolves to; repeatable
      --resolve             ask the system's resolvers where nothing is given
      --resolver ADDRESS    ask this one; ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT
  -o, --output FORMAT       `;

export interface SettingValues {
  readonly file?: string[];
  readonly namespace?: string;
  readonly labels?: string;
  readonly "namespace-labels"?: string;
  readonly cluster?: string;
  readonly answer?: string[];
  readonly resolve?: boolean;
  readonly resolver?: string;
  readonly output: string;
}

export interface Setting {
  readonly files: readonly string[];
  readonly namespace: string | undefined;
  /** Undefined where nothing was said of them. */
  readonly labels: Labels | undefined;
  readonly namespaceLabels: Labels;
  readonly cluster: Cluster;
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Undefined where nobody is to be asked. */
  readonly resolve: Resolve | undefined;
}

/** Every mistake at once; `more` are those that the command itself has found. */
export function settingOf(
  values: SettingValues,
  formats: readonly string[],
  more: readonly string[],
): Setting {
  const mistakes = [...more];
  if (!values.file) mistakes.unshift("which rules? -f FILE, a folder, or -f - for standard input");
  if (!formats.includes(values.output))
    mistakes.push(`--output ${values.output}: expected ${formats.join(" or ")}`);
  if (values.resolver !== undefined && !parseResolver(values.resolver))
    mistakes.push(
      `--resolver ${values.resolver}: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT`,
    );
  const setting = {
    files: values.file ?? [],
    namespace: values.namespace,
    labels: values.labels === undefined ? undefined : labelsOf("--labels", values.labels, mistakes),
    namespaceLabels: labelsOf("--namespace-labels", values["namespace-labels"], mistakes),
    cluster: { ...Cluster.parse({}), ranges: rangesOf(values.cluster, mistakes) },
    answers: answersOf(values.answer ?? [], mistakes),
  };
  if (mistakes.length > 0) throw new BadInput(mistakes);
  const asks = values.resolve || values.resolver !== undefined;
  return { ...setting, resolve: asks ? resolveBy(values.resolver) : undefined };
}

function labelsOf(option: string, text: string | undefined, mistakes: string[]): Labels {
  const labels: Record<string, string> = {};
  for (const part of listOf(text)) {
    const [, key, value] = /^([^=]+)=([^=]*)$/.exec(part) ?? [];
    if (key === undefined || value === undefined)
      mistakes.push(`${option} ${part}: expected key=value, several with commas between`);
    else labels[key] = value;
  }
  return labels;
}

function rangesOf(text: string | undefined, mistakes: string[]): string[] {
  const ranges = listOf(text);
  for (const range of ranges) {
    const cidr = parseCidr(range);
    if (cidr instanceof Error) mistakes.push(`--cluster ${cidr.message}`);
  }
  return ranges;
}

function answersOf(texts: readonly string[], mistakes: string[]): Map<string, string[]> {
  const answers = new Map<string, string[]>();
  for (const text of texts) {
    const [, left = "", right] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    const name = canonicalName(left);
    const addresses = listOf(right).map((each) => canonicalAddress(each));
    if (name === undefined || right === undefined || addresses.includes(undefined))
      mistakes.push(`--answer ${text}: expected NAME=ADDRESS, or NAME= where it has none`);
    else
      answers.set(
        name,
        addresses.filter((each) => each !== undefined),
      );
  }
  return answers;
}

function listOf(text = ""): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
