import { type Basis, covers } from "@sallyport/core/delivery";

export interface Version {
  readonly revision: string;
  readonly basis: Basis;
}

/**
 * What a sidecar that has `have` is to be told, where `newest` is what this controller knows. `behind`: the sidecar's is
 * from a time that this controller has not heard of yet. `rewound`: neither has the API server.
 */
export function nextLine(
  have: Version | undefined,
  newest: Version,
  rewound: boolean,
): "nothing new" | "snapshot" | "behind" {
  if (!have || rewound) return "snapshot";
  // The same content is the same permission, whatever it was made from.
  if (!covers(newest.basis, have.basis)) return "behind";
  return have.revision === newest.revision ? "nothing new" : "snapshot";
}
