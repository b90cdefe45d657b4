import type { LabelSelector } from "@sallyport/core/selector";

/** As the API server takes labels (apimachinery's validation.IsQualifiedName and IsValidLabelValue). */
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const isKey = (text: string) => {
  const [name = "", prefix, ...more] = text.split("/").reverse();
  return NAME.test(name) && (prefix === undefined || PREFIX.test(prefix)) && more.length === 0;
};
const isValue = (text: string) => text === "" || NAME.test(text);

/** What is demanded of one label. */
interface Demand {
  present: boolean;
  absent: boolean;
  /** Undefined: any. */
  values: readonly string[] | undefined;
  readonly never: string[];
}

/** Why nothing can have the labels that are demanded; one line for each label that cannot be. */
export function impossibleLabels(path: string, selector: LabelSelector | undefined): string[] {
  const demands = new Map<string, Demand>();
  const of = (key: string) => {
    const demand = demands.get(key) ?? {
      ...{ present: false, absent: false, values: undefined, never: [] },
    };
    demands.set(key, demand);
    return demand;
  };
  const oneOf = (key: string, values: readonly string[]) => {
    const demand = of(key);
    demand.present = true;
    demand.values = demand.values?.filter((value) => values.includes(value)) ?? values;
  };
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) oneOf(key, [value]);
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? [])
    switch (operator) {
      case "In":
        oneOf(key, values);
        break;
      case "NotIn":
        of(key).never.push(...values);
        break;
      case "Exists":
        of(key).present = true;
        break;
      case "DoesNotExist":
        of(key).absent = true;
    }
  return [...demands].flatMap(([key, demand]) => {
    const why = contradiction(key, demand);
    return why === undefined ? [] : `${path}: it selects nothing: ${why}`;
  });
}

function contradiction(
  key: string,
  { present, absent, values, never }: Demand,
): string | undefined {
  const label = JSON.stringify(key);
  if (!present) return undefined;
  if (!isKey(key)) return `${label} cannot be the name of a label`;
  if (absent) return `label ${label} would have to be there and not be there`;
  if (!values) return undefined;
  const left = values.filter((value) => !never.includes(value));
  if (left.length === 0)
    return `label ${label} can have no value that satisfies all that is said of it`;
  if (left.some(isValue)) return undefined;
  return `${JSON.stringify(left[0])} cannot be the value of a label`;
}
