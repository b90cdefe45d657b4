import { ApiRefusal } from "./rest.ts";

/** What was asked of the API server, or why it is not known. */
export type Read<T> = { readonly value: T } | { readonly absent: true } | Unknown;

export interface Unknown {
  /** What the API server said. */
  readonly unknown: string;
  /** The one who asks may not; otherwise the API server could not say. */
  readonly forbidden: boolean;
}

/** Of what is asked, what can be: a cluster that cannot be reached at all is still thrown. */
export async function reading<T>(asked: Promise<T>): Promise<Read<T>> {
  try {
    return { value: await asked };
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    if (error.status === 404) return { absent: true };
    return unknownOf(error);
  }
}

export function unknownOf({ status, message }: ApiRefusal): Unknown {
  return { unknown: message, forbidden: status === 403 };
}

export function known<T>(read: Read<T>): T | undefined {
  return "value" in read ? read.value : undefined;
}
