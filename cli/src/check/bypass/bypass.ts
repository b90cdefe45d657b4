import { randomBytes } from "node:crypto";
import { parseAddress } from "@sallyport/core/address";
import { parsePort } from "@sallyport/core/ports";
import type { PolicySnapshot } from "@sallyport/core/snapshot";
import { inForceOf } from "../../fleet/in-force.ts";
import { placeOf } from "../../fleet/sidecar-page.ts";
import { type Access, NoAnswer } from "../../kubernetes/access.ts";
import { BadInput } from "../../policy/io.ts";
import { onePodOf } from "../../stats/pods.ts";
import { parseTarget } from "../../stats/target.ts";
import { inEphemeralContainer } from "./ephemeral.ts";
import { judgePod } from "./pod-rows.ts";
import type { BypassReport } from "./report.ts";
import { selfTest } from "./self-test.ts";
import { subjectOf } from "./subject.ts";
import { NOBODY, type Targets } from "./ways.ts";

export interface BypassChoice {
  /** `POD` or `KIND/NAME`. */
  readonly who: string;
  readonly container?: string | undefined;
  readonly targets: Targets;
}

export async function checkBypass(
  access: Access,
  { who, container, targets }: BypassChoice,
): Promise<BypassReport> {
  const { pod, of } = await onePodOf(access.rest, access.namespace, parseTarget([who]));
  const place = placeOf(pod);
  const subject = subjectOf(pod, container);
  const notes = of > 1 ? [`${who} has ${of} pods; this is one of them`] : [];
  let snapshot: PolicySnapshot | undefined;
  try {
    ({ snapshot } = await inForceOf(access, pod));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    notes.push(
      `its policy is not known, and so no name that it permits is claimed: ${error.message}`,
    );
  }
  const probe = `bypass-${randomBytes(3).toString("hex")}`;
  const run = inEphemeralContainer(access.rest, place, subject, probe);
  const measure = { init: subject.init, snapshot, mayBeRoot: subject.mayBeRoot };
  const rows = [...(await selfTest(measure, targets, run)), ...judgePod(pod, subject)];
  notes.push(
    `the probe was ephemeral container ${probe}; it has ended, and stays in the pod's spec`,
  );
  return { place, container: subject.container, rows, notes };
}

/** `ADDRESS:PORT` and `[ADDRESS]:PORT`, at most one of each family. */
export function parseTargets(texts: readonly string[]): Targets {
  let targets = NOBODY;
  for (const text of texts) {
    const [, six, four, portText = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
    const address = parseAddress(six ?? four ?? "");
    const port = parsePort(portText);
    if (!address || port === undefined)
      throw new BadInput([
        `--target ${text}: expected ADDRESS:PORT or [ADDRESS]:PORT, of a server of yours outside`,
      ]);
    targets = { ...targets, [address.family === 4 ? "ipv4" : "ipv6"]: six ?? four, port };
  }
  return targets;
}
