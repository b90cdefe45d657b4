import * as z from "zod";

/** zod leaves a key called __proto__ out of a record, and a selector with one requirement fewer selects more. */
const MatchLabels = z.preprocess(
  (value, context) => {
    if (typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"))
      context.addIssue({ code: "custom", message: '"__proto__" is no label: remove it' });
    return value;
  },
  z.record(z.string(), z.string()),
);

/** A Kubernetes label selector; one without any requirement selects everything (labels.Selector, apimachinery). */
export const LabelSelector = z.strictObject({
  matchLabels: MatchLabels.optional(),
  matchExpressions: z
    .array(
      z
        .strictObject({
          key: z.string().min(1),
          operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
          values: z.array(z.string()).optional(),
        })
        .superRefine(({ operator, values }, context) => {
          const needsValues = operator === "In" || operator === "NotIn";
          if (needsValues === (values !== undefined && values.length > 0)) return;
          context.addIssue({
            code: "custom",
            path: ["values"],
            message: needsValues
              ? `${operator} needs at least one value`
              : `${operator} takes no values: remove them`,
          });
        }),
    )
    .optional(),
});
export type LabelSelector = z.output<typeof LabelSelector>;
export type Labels = Readonly<Record<string, string>>;

/** Without a selector everything is selected. A label that is absent is not in any list, and so satisfies NotIn. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every((requirement) => meets(requirement, labels))
  );
}

type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

function meets({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const label = labelOf(labels, key);
  switch (operator) {
    case "In":
      return label !== undefined && values.includes(label);
    case "NotIn":
      return label === undefined || !values.includes(label);
    case "Exists":
      return label !== undefined;
    case "DoesNotExist":
      return label === undefined;
  }
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
