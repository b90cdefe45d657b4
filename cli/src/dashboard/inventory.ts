import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import {
  controllerOf,
  GO_BETWEENS,
  isGoBetween,
  type Owner,
  ownerOfPod,
} from "@sallyport/controller/assessment/owner";
import { NOT_ENDED } from "@sallyport/controller/assessment/pods";
import { EgressBoundary } from "@sallyport/core/rules";
import { all } from "../check/gather.ts";
import { POLICY_API } from "../fleet/cluster-policy.ts";
import { demandsOver } from "../fleet/demands.ts";
import { labelsOf } from "../fleet/pod-policy.ts";
import { type PodPlace, placeOf } from "../fleet/sidecar-page.ts";
import { known, type Read, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { type Standing, standingOf } from "./standing.ts";

/** A pod, as far as it matters here. */
export interface KnownPod extends PodPlace {
  readonly uid: string;
  readonly owner: Owner;
  readonly sidecar: Standing;
}

/** What the API server says of the fleet. */
export interface Inventory {
  readonly pods: readonly KnownPod[];
  readonly rules: readonly JsonObject[];
  readonly boundaries: readonly JsonObject[];
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** Reads the fleet again and again, in one namespace or in all; whose a ReplicaSet is, it asks once. */
export class InventoryReader {
  readonly #rest: Rest;
  readonly #namespace: string | undefined;
  readonly #workloads = new Map<string, Owner>();

  constructor(rest: Rest, namespace: string | undefined) {
    this.#rest = rest;
    this.#namespace = namespace;
  }

  async read(): Promise<Inventory> {
    const inside = this.#namespace === undefined ? "" : `/namespaces/${this.#namespace}`;
    const [pods, namespaces, rules, boundaries] = await Promise.all([
      this.#list(`/api/v1${inside}/pods`, { fieldSelector: NOT_ENDED }),
      this.#namespace === undefined
        ? this.#list("/api/v1/namespaces")
        : reading(this.#rest.get(`/api/v1/namespaces/${this.#namespace}`).then((one) => [one])),
      this.#list(`${POLICY_API}${inside}/egressrules`),
      this.#list(`${POLICY_API}/egressboundaries`),
    ]);
    const labelled = new Map(
      (known(namespaces) ?? []).map((each) => [String(asObject(each.metadata).name), each]),
    );
    const found = (known(pods) ?? []).filter(
      ({ metadata }) => asObject(metadata).deletionTimestamp === undefined,
    );
    const usable = (known(boundaries) ?? []).flatMap(
      (each) => EgressBoundary.safeParse(each).data ?? [],
    );
    const demands = new Map(
      [...labelled].map(([name, each]) => [name, demandsOver(usable, labelsOf(each))]),
    );
    const owners = found.map(ownerOfPod);
    const unread = await this.#learn(owners);
    return {
      pods: found.map((pod, i) => {
        const owner = owners[i] ?? ownerOfPod(pod);
        const place = placeOf(pod);
        return {
          ...place,
          uid: String(asObject(pod.metadata).uid),
          owner: this.#workloads.get(owner.uid) ?? owner,
          sidecar: standingOf(pod, labelled.get(place.namespace), demands.get(place.namespace)),
        };
      }),
      rules: known(rules) ?? [],
      boundaries: known(boundaries) ?? [],
      problems: [
        ...missing("pods", pods, this.#namespace === undefined),
        ...missing("namespaces", namespaces, false),
        ...missing("egressrules", rules, this.#namespace === undefined),
        ...missing("egressboundaries", boundaries, false),
        ...unread,
      ],
    };
  }

  #list(path: string, query = {}): Promise<Read<readonly JsonObject[]>> {
    return reading(all(this.#rest.list(path, query)));
  }

  /** Whose the ReplicaSets and Jobs are that have not been seen before; where that may not be read they stand for themselves. */
  async #learn(owners: readonly Owner[]): Promise<string[]> {
    const uids = new Set(owners.map(({ uid }) => uid));
    for (const uid of this.#workloads.keys()) if (!uids.has(uid)) this.#workloads.delete(uid);
    const unknown = owners.filter(isGoBetween).filter(({ uid }) => !this.#workloads.has(uid));
    const inside = this.#namespace === undefined ? "" : `/namespaces/${this.#namespace}`;
    const problems: string[] = [];
    for (const kind of new Set(unknown.map((owner) => owner.kind))) {
      const path = `${apiOf(kind)}${inside}/${kind.toLowerCase()}s`;
      const read = await reading(all(this.#rest.list(path, {}, "metadata")));
      problems.push(...missing(`${kind.toLowerCase()}s`, read, false));
      const objects = known(read);
      if (!objects) continue;
      for (const object of objects) {
        const uid = String(asObject(object.metadata).uid);
        const owner = controllerOf(object);
        if (owner && uids.has(uid)) this.#workloads.set(uid, owner);
      }
      // One that belongs to nobody is not looked for again.
      for (const owner of unknown)
        if (owner.kind === kind && !this.#workloads.has(owner.uid))
          this.#workloads.set(owner.uid, owner);
    }
    return problems;
  }
}

function apiOf(kind: keyof typeof GO_BETWEENS): string {
  return `/apis/${GO_BETWEENS[kind].apiVersion}`;
}

function missing(what: string, read: Read<unknown>, couldBeFewer: boolean): string[] {
  if ("value" in read) return [];
  if ("absent" in read)
    return [
      what.startsWith("egress")
        ? `this cluster has no ${what}: Sallyport's CustomResourceDefinitions are not installed`
        : `there are no ${what}`,
    ];
  const remedy =
    couldBeFewer && read.forbidden ? "; name a namespace that you may see: -n NAME" : "";
  return [`cannot list ${what}: ${read.unknown}${remedy}`];
}
