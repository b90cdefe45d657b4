import { type Notes, under } from "./notes.ts";

/** What is selected, and what is when there is no selector. */
export interface Selects {
  readonly what: string;
  readonly absent: string;
}

const SELECTOR = ({ what, absent }: Selects): Notes => ({
  "": {
    says: `Selects ${what} by their labels; matchLabels and matchExpressions must all hold. Absent or empty: ${absent}.`,
    atomic: true,
  },
  ".matchLabels": { says: "Labels and the values that they must have." },
  ".matchExpressions": { says: "Requirements of labels, which must all hold.", most: 64 },
  ".matchExpressions[]": {
    rules: [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message: "In and NotIn need at least one value, Exists and DoesNotExist take none",
        messageExpression:
          "self.operator in ['In', 'NotIn'] ? self.operator + ' needs at least one value' : self.operator + ' takes no values: remove them'",
        fieldPath: ".values",
      },
    ],
  },
  ".matchExpressions[].key": { says: "The label's name." },
  ".matchExpressions[].operator": {
    says: "In: the label is there with one of the values. NotIn: it is absent, or has none of them. Exists, DoesNotExist: whatever its value.",
  },
  ".matchExpressions[].values": { says: "With In and NotIn: the values. With the others: absent." },
});

export function selector(path: string, selects: Selects): Notes {
  return under(path, SELECTOR(selects));
}
