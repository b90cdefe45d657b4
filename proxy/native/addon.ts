import load from "node-gyp-build";

export interface Addon {
  /** The destination that iptables REDIRECT replaced, or the errno of the call that failed. */
  originalDestination(fd: number): { address: string; port: number } | number;
}

/** Loads `build/Release/*.node` beside this file; in an image, beside the bundle (esbuild puts `__dirname` here). */
export const addon = load(import.meta.dirname) as Addon;
