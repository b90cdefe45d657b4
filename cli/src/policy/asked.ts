import { canonicalName } from "@sallyport/core/hostname";
import type { Applied } from "./applied.ts";
import { type Asked, ask, type Finding, type Question } from "./ask.ts";
import { type Destination, parseDestination } from "./destination.ts";
import type { Setting } from "./setting.ts";
import { SPOKEN, type Spoken } from "./spoken.ts";
import { isUrl, parseUrl } from "./url.ts";

/** What `explain` is asked, as its arguments say it. */
export interface Arguments {
  readonly to: Destination;
  readonly says?: string;
  readonly protocol?: Spoken | undefined;
  readonly mistakes: readonly string[];
}

export function askedOf(
  positionals: readonly string[],
  { name, protocol }: { name?: string; protocol?: string },
): Arguments {
  const mistakes: string[] = [];
  const [text, ...more] = positionals;
  if (text === undefined)
    mistakes.push("which destination? a URL, or HOST:PORT, for example api.example.com:443");
  if (more.length > 0) mistakes.push(`one destination at a time: what is ${more.join(" ")}?`);
  const goal = goalOf(text);
  if (goal instanceof Error) mistakes.push(goal.message);
  const { to, protocol: usual } = goal instanceof Error ? NOWHERE : goal;
  if (usual && name !== undefined)
    mistakes.push(`--name ${name}: a URL gives its own name; write HOST:PORT or ADDRESS:PORT`);
  const says = name === undefined ? undefined : canonicalName(name);
  if (name !== undefined && says === undefined) mistakes.push(`--name ${name}: it is no DNS name`);
  const spoken = SPOKEN.find((each) => each === protocol);
  if (protocol !== undefined && !spoken)
    mistakes.push(`--protocol ${protocol}: expected ${SPOKEN.join(", ")}`);
  return {
    to,
    ...(says !== undefined && { says }),
    protocol: spoken ?? usual,
    mistakes,
  };
}

const NOWHERE: Pick<Arguments, "to" | "protocol"> = { to: { port: 0 } };

function goalOf(text: string | undefined): Pick<Arguments, "to" | "protocol"> | Error {
  if (text === undefined) return NOWHERE;
  if (isUrl(text)) return parseUrl(text);
  const to = parseDestination(text);
  return to instanceof Error ? to : { to };
}

/** Asks DNS for what is lacking, where that is wanted. */
export async function settle(
  applied: Applied,
  asked: Omit<Question, "assume">,
  { resolve }: Setting,
): Promise<Finding> {
  const answers = new Map(asked.answers);
  for (;;) {
    const found: Asked = ask(applied, { ...asked, answers, assume: !resolve });
    if (!("names" in found)) return found;
    for (const name of found.names) answers.set(name, (await resolve?.(name)) ?? []);
  }
}
