import { canonicalAddress } from "@sallyport/core/address";
import { EVEN_IF_MALFORMED, field } from "@sallyport/core/form";
import { canonicalName } from "@sallyport/core/hostname";
import { REASONS, type Reason } from "@sallyport/core/reasons";
import { Cluster } from "@sallyport/core/snapshot";
import * as z from "zod";
import { parseDestination } from "./destination.ts";
import { SPOKEN } from "./spoken.ts";
import { type Fetch, parseUrl } from "./url.ts";

const Labels = z.record(z.string(), z.string());

const Pod = z.strictObject({
  namespace: z.string().min(1).default("default"),
  labels: Labels.default({}),
  namespaceLabels: Labels.default({}),
});

const Name = z.string().transform((text, context) => {
  const name = canonicalName(text);
  if (name !== undefined) return name;
  context.addIssue({ code: "custom", message: `"${text}" is no DNS name` });
  return z.NEVER;
});

const Address = z.string().transform((text, context) => {
  const address = canonicalAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: `"${text}" is no address` });
  return z.NEVER;
});

/** What `parse` makes of a text; otherwise its complaint is the message. */
function parsed<T>(parse: (text: string) => T | Error) {
  return z.string().transform((text, context) => {
    const result = parse(text);
    if (!(result instanceof Error)) return result;
    context.addIssue({ code: "custom", message: result.message });
    return z.NEVER;
  });
}

const isName = (text: string) => canonicalName(text) !== undefined;

/** What names resolve to. */
const Answers = z
  .record(z.string().refine(isName, "it is no DNS name"), z.array(Address))
  .transform(
    (answers) =>
      new Map(Object.entries(answers).map(([name, its]) => [canonicalName(name) ?? name, its])),
  );

const Case = z
  .strictObject({
    name: z.string().min(1).optional(),
    /** `HOST:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT` */
    connect: parsed(parseDestination).optional(),
    /** In its place: the app asks for this. */
    url: parsed(parseUrl).optional(),
    /** The name that the app gives, where it is not the one it connects to; null: it gives none. */
    says: Name.nullable().optional(),
    protocol: z.enum(SPOKEN).optional(),
    /** In place of the file's. */
    pod: Pod.optional(),
    /** Beside the file's. */
    answers: Answers.optional(),
    expect: z.enum(["allow", "deny"]),
    reason: z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]).optional(),
    /** `namespace/name` of the rule, or the name of the boundary, that decides. */
    rule: z.string().min(1).optional(),
  })
  .superRefine((each, context) => {
    const [connect, url, says] = ["connect", "url", "says"].map((key) => field(each, key));
    const problem =
      connect === undefined && url === undefined
        ? "it is missing: expected HOST:PORT, or a url in its place"
        : connect !== undefined && url !== undefined
          ? "a url is given, too: remove one of them"
          : undefined;
    if (problem !== undefined)
      context.addIssue({ code: "custom", path: ["connect"], message: problem });
    if (url !== undefined && says !== undefined)
      context.addIssue({
        code: "custom",
        path: ["says"],
        message: "a url gives its own name: remove this, or write connect in its place",
      });
  }, EVEN_IF_MALFORMED)
  .superRefine(({ expect, reason }, context) => {
    if (reason === undefined || reason.startsWith("allowed.") === (expect === "allow")) return;
    context.addIssue({
      code: "custom",
      path: ["reason"],
      message: `${reason} is no reason to ${expect}`,
    });
  });
export type Case = z.output<typeof Case>;

/** Where the app connects to, and what it speaks there, as far as that is said. */
export function goalOf({ connect, url, protocol }: Case): Partial<Fetch> & Pick<Fetch, "to"> {
  const to = connect ?? url?.to;
  if (!to) throw new Error("a case without a destination was let through");
  const spoken = protocol ?? url?.protocol;
  return { to, ...(spoken && { protocol: spoken }) };
}

/** One document of a file of cases; docs/reference/policy-tests.md. */
export const TestFile = z.strictObject({
  /** What the cases have in common, for the reader of the results. */
  name: z.string().min(1).optional(),
  /** Files and folders, relative to this one, and objects written out. */
  rules: z
    .array(
      z.union([z.string().min(1), z.looseObject({})], {
        error: "expected a file's name or an EgressRule",
      }),
    )
    .min(1),
  pod: Pod.prefault({}),
  /** Where no boundary says it. */
  mode: z.enum(["enforce", "audit"]).default("enforce"),
  cluster: Cluster.prefault({}),
  answers: Answers.prefault({}),
  cases: z.array(Case).min(1, "there is nothing to test: add a case"),
});
export type TestFile = z.output<typeof TestFile>;
