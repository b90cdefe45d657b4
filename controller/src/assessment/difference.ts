import { isDeepStrictEqual } from "node:util";
import { INIT_CONFIG_ENV } from "@sallyport/init/contract";
import { PROXY_CONFIG_ENV } from "@sallyport/proxy/contract";
import type { JsonObject, JsonValue } from "../admission/admission.ts";
import { objectOf } from "./written.ts";

/** How one of our containers, as it is stored, differs from what would be injected now. */
export interface Difference {
  /** What the installation decides: names of settings. */
  readonly settings: readonly string[];
  /** What it does not: names of the container's fields. */
  readonly fields: readonly string[];
}

/** Others may change these of a running pod or at its admission: in-place resize and autoscalers; images are compared apart. */
const NOT_COMPARED = ["resources", "image"];
const CONFIGS: readonly string[] = [INIT_CONFIG_ENV, PROXY_CONFIG_ENV];

/**
 * What is stored holds more than was injected: the API server fills in defaults, and its ServiceAccount plugin mounts the
 * token. More is no difference, except where it would give the container rights.
 */
export function difference(wanted: JsonObject, found: JsonObject): Difference {
  const fields = Object.keys(wanted).filter(
    (key) =>
      key !== "env" &&
      key !== "imagePullPolicy" &&
      !NOT_COMPARED.includes(key) &&
      !holds(found[key], wanted[key]),
  );
  const env = byName(found.env);
  const wantedEnv = [...byName(wanted.env)];
  const plain = wantedEnv.filter(([name]) => !CONFIGS.includes(name));
  const configs = wantedEnv.filter(([name]) => CONFIGS.includes(name));
  const isReadable = configs.every(([name]) => configOf(env.get(name)) !== undefined);
  if (!isReadable || plain.some(([name, item]) => !holds(env.get(name), item))) fields.push("env");
  return {
    fields,
    settings: [
      ...configs.flatMap(([name, item]) => differing(configOf(env.get(name)), configOf(item))),
      ...(found.imagePullPolicy === wanted.imagePullPolicy ? [] : ["images.pullPolicy"]),
    ],
  };
}

function byName(list: JsonValue | undefined): Map<string, JsonObject> {
  const items = Array.isArray(list) ? list.map(objectOf) : [];
  return new Map(items.map((item) => [String(item.name), item]));
}

function configOf(item: JsonObject | undefined): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(String(item?.value)));
  } catch {
    return undefined;
  }
}

/** The top-level names of what differs. */
function differing(found: JsonObject = {}, wanted: JsonObject = {}): string[] {
  const keys = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...keys].filter((key) => !isDeepStrictEqual(found[key], wanted[key])).sort();
}

/** Named things of a list are looked for by name; `capabilities` and plain lists are compared whole. */
function holds(found: JsonValue | undefined, wanted: JsonValue | undefined, key = ""): boolean {
  if (key === "capabilities") return sameCapabilities(objectOf(found), objectOf(wanted));
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found)) return false;
    if (!wanted.every(isNamed)) return isDeepStrictEqual(found, wanted);
    return wanted.every((item) => found.some((each) => holds(each, item)));
  }
  if (typeof wanted === "object" && wanted !== null)
    return Object.entries(wanted).every(([name, value]) =>
      holds(objectOf(found)[name], value, name),
    );
  return found === wanted;
}

function isNamed(item: JsonValue): boolean {
  return typeof objectOf(item).name === "string";
}

function sameCapabilities(found: JsonObject, wanted: JsonObject): boolean {
  const sorted = (list: JsonValue | undefined) =>
    (Array.isArray(list) ? list : []).map(String).sort();
  return ["add", "drop"].every((list) =>
    isDeepStrictEqual(sorted(found[list]), sorted(wanted[list])),
  );
}
