import type { PodPlace } from "../fleet/sidecar-page.ts";
import { type Destination, Destinations, Overview } from "./sidecar-answers.ts";
import { inWords, type Tunnels } from "./tunnels.ts";

/** What a sidecar has told last; `problem`: why it did not tell anything this time, and what it told before may stand. */
export interface Heard {
  readonly overview?: Overview;
  readonly destinations: readonly Destination[];
  readonly problem?: string;
}

export async function hear(
  tunnels: Tunnels,
  pod: PodPlace,
  before: Heard | undefined,
): Promise<Heard> {
  try {
    const overview = Overview.safeParse(await tunnels.ask(pod, "/overview"));
    const listed = Destinations.safeParse(await tunnels.ask(pod, "/destinations?format=json"));
    if (!overview.success || !listed.success) throw new Error(NOT_OURS);
    return { overview: overview.data, destinations: listed.data.destinations };
  } catch (error) {
    return { destinations: [], ...before, problem: inWords(error as Error) };
  }
}

const NOT_OURS =
  "what answers there is no sidecar of this version: use the command of the sidecar's version";
