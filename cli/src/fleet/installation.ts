import { asObject } from "@sallyport/controller/admission/workload-template";
import type { Mode } from "@sallyport/core/snapshot";
import * as z from "zod";
import { NAMES } from "../check/facts.ts";
import { known, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";

export const INSTALL_OPTIONS = {
  "install-namespace": { type: "string", default: "sallyport-system" },
} as const;
export const INSTALL_HELP =
  "      --install-namespace NS  where Sallyport is installed (sallyport-system)";

const Config = z.looseObject({
  policy: z.looseObject({ mode: z.enum(["audit", "enforce"]) }),
});

/** The mode where no boundary says it; undefined where the installation's configuration may not be read. */
export async function defaultModeOf(rest: Rest, install: string): Promise<Mode | undefined> {
  const path = `/api/v1/namespaces/${install}/configmaps/${NAMES.configMap}`;
  const configMap = known(await reading(rest.get(path)));
  const text = asObject(configMap?.data)[NAMES.configKey];
  if (typeof text !== "string") return undefined;
  try {
    return Config.safeParse(JSON.parse(text)).data?.policy.mode;
  } catch {
    return undefined;
  }
}
