import type { PodSettings } from "./annotations.ts";
import { PREFIX } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { formatQuantity, parseQuantity, type Resource } from "./quantity.ts";

/** What the sidecar asks for and may use, as the API server stores it: what the pod says, or else the installation. */
export function resourcesOf(settings: PodSettings, options: InjectionOptions) {
  const { requests, limits } = asWritten(settings, options);
  const stored = (written: typeof requests) => ({
    cpu: canonicalQuantity("cpu", written.cpu),
    memory: canonicalQuantity("memory", written.memory),
  });
  return { requests: stored(requests), limits: stored(limits) };
}

function asWritten(settings: PodSettings, { resources }: InjectionOptions) {
  return {
    requests: {
      cpu: settings.cpu ?? resources.requests.cpu,
      memory: settings.memory ?? resources.requests.memory,
    },
    limits: {
      cpu: settings.cpuLimit ?? resources.limits.cpu,
      memory: settings.memoryLimit ?? resources.limits.memory,
    },
  };
}

/** Whoever read the text has checked it. */
function canonicalQuantity(resource: Resource, text: string): string {
  const parsed = parseQuantity(resource, text);
  return parsed instanceof Error ? text : formatQuantity(resource, parsed);
}

/** The API server would refuse the pod for these, in words about a container that its author never wrote. */
export function resourceMistakes(settings: PodSettings, options: InjectionOptions): string[] {
  const { requests, limits } = asWritten(settings, options);
  return (["cpu", "memory"] as const)
    .filter((resource) => exceeds(resource, requests[resource], limits[resource]))
    .map((resource) => {
      const name = `${PREFIX}proxy-${resource}`;
      const whose = settings[`${resource}Limit`] ? `${name}-limit` : "the installation's limit";
      return `annotation ${name}: ${requests[resource]} is more than ${whose}, ${limits[resource]}; lower it or raise ${name}-limit`;
    });
}

function exceeds(resource: Resource, request: string, limit: string): boolean {
  const [asked, most] = [parseQuantity(resource, request), parseQuantity(resource, limit)];
  return typeof asked === "bigint" && typeof most === "bigint" && asked > most;
}
