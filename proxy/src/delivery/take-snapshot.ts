import { type Basis, covers } from "@sallyport/core/delivery";
import { PolicySnapshot } from "@sallyport/core/snapshot";
import * as z from "zod";

/** A snapshot's line, its content not looked at yet. */
export interface Offered {
  readonly revision: string;
  readonly basis: Basis;
  readonly rewound?: boolean | undefined;
  readonly snapshot?: unknown;
}

export interface Have {
  readonly revision: string;
  readonly basis: Basis;
}

export type Taken =
  | { readonly snapshot: PolicySnapshot }
  /** A controller that knows less than the one before: nothing is wrong with the snapshot, and it is not used. */
  | { readonly older: string }
  | { readonly problem: string };

/** Whether what is offered may be put in force, in place of what there is. */
export function takeSnapshot(offered: Offered, have: Have | undefined): Taken {
  if (have && offered.rewound !== true && !covers(offered.basis, have.basis))
    return {
      older: `it was made from an older state (${basisText(offered.basis)}) than the one in force (${basisText(have.basis)})`,
    };
  const read = PolicySnapshot.safeParse(offered.snapshot);
  return read.success ? { snapshot: read.data } : { problem: z.prettifyError(read.error) };
}

function basisText(basis: Basis): string {
  return Object.entries(basis)
    .map(([collection, version]) => `${collection} ${version}`)
    .join(", ");
}
