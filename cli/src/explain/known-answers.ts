import type { JsonObject } from "@sallyport/controller/admission/admission";
import { objects } from "@sallyport/controller/admission/sidecar-in";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { meantBy } from "@sallyport/core/replay";
import { all } from "../check/gather.ts";
import { placeOf } from "../fleet/sidecar-page.ts";
import { decisionsOf } from "../fleet/traffic.ts";
import type { Access } from "../kubernetes/access.ts";
import { known, reading } from "../kubernetes/read.ts";
import type { Applied } from "../policy/applied.ts";
import type { Arguments } from "../policy/asked.ts";
import type { Setting } from "../policy/setting.ts";

export interface KnownAnswers {
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** From where those of the names in question are. */
  readonly notes: readonly string[];
}

/**
 * Where names lead, as far as it is known without asking DNS: what was given, what the sidecar itself found when it was last
 * asked for that name, and what Services of the cluster have. Whoever runs the command may see another DNS than the pod.
 */
export async function knownAnswers(
  access: Access,
  pod: JsonObject,
  { policy, snapshot }: Applied,
  { to, says }: Arguments,
  { answers: given }: Setting,
): Promise<KnownAnswers> {
  const answers = new Map(given);
  const notes: string[] = [];
  const meant = (name: string) => policy.externalNameOf(name) ?? name;
  const inQuestion = new Set([to.name, says].flatMap((name) => (name ? [meant(name)] : [])));
  for (const record of await decisionsOf(access, pod)) {
    const name = meantBy(record);
    if (name === undefined || !record.resolved?.length || answers.has(name)) continue;
    answers.set(name, record.resolved);
    if (inQuestion.has(name))
      notes.push(
        `${name} resolves to ${record.resolved.join(", ")}, as this sidecar found at ${record.time}`,
      );
  }
  for (const name of inQuestion) {
    if (answers.has(name)) continue;
    const { namespace } = placeOf(pod);
    const service = serviceOf(name, namespace, snapshot.cluster.domain);
    const addresses = service && (await addressesOf(access, service));
    if (!service || !addresses) continue;
    answers.set(name, addresses);
    notes.push(
      `${name} is Service ${service.namespace}/${service.name}, at ${addresses.join(", ") || "no address"}`,
    );
  }
  return { answers, notes };
}

/** Which Service a name would be, as a pod's search list has it: `db`, `db.shop`, `db.shop.svc`, and with the domain. */
export function serviceOf(
  name: string,
  ownNamespace: string,
  domain: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const short = name.endsWith(`.svc.${domain}`) ? name.slice(0, -domain.length - 1) : name;
  const [service = "", namespace = ownNamespace, svc = "svc", ...more] = short.split(".");
  return more.length === 0 && svc === "svc" ? { namespace, name: service } : undefined;
}

/** Of a Service without an address of its own, its endpoints'; undefined where there is no such Service. */
async function addressesOf(
  { rest }: Access,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly string[] | undefined> {
  const service = known(
    await reading(rest.get(`/api/v1/namespaces/${namespace}/services/${name}`)),
  );
  const { clusterIPs } = asObject(service?.spec);
  if (!Array.isArray(clusterIPs)) return undefined;
  const own = clusterIPs.filter((address) => typeof address === "string" && address !== "None");
  if (own.length > 0) return own as string[];
  const slices = await reading(
    all(
      rest.list(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
        labelSelector: `kubernetes.io/service-name=${name}`,
      }),
    ),
  );
  return (known(slices) ?? []).flatMap((slice) =>
    objects(slice.endpoints).flatMap(({ addresses }) => (addresses ?? []) as readonly string[]),
  );
}
