/**
 * How `sallyport.dev/inject` on a workload reaches its pods. What was carried is marked in the template; a value that
 * bears no mark of ours is its author's and is never touched. The outcome depends on what the author has written alone,
 * whether their tool sends what was carried back (kubectl apply, Helm) or leaves it out (kubectl replace).
 */
export interface Carrying {
  /** On the workload itself. */
  readonly own: string | undefined;
  readonly template: TemplateValue;
  /** The template before this change; absent when the workload is created. */
  readonly before: TemplateValue | undefined;
  /** The template is a copy of that of a workload which carries for itself: the Job of a CronJob. */
  readonly inherited: boolean;
}

export interface TemplateValue {
  readonly inject: string | undefined;
  readonly carried: string | undefined;
}

export interface Carried {
  readonly template: TemplateValue;
  /** `malformed`: the workload's value is none; `overruled`: the template's own author says otherwise. */
  readonly problem?: "malformed" | "overruled";
}

const NOTHING: TemplateValue = { inject: undefined, carried: undefined };

export function carry({ own, template, before, inherited }: Carrying): Carried {
  const malformed = own !== undefined && !isWish(own);
  if (template.inject !== undefined && !isMarked(template)) {
    const explicit = { inject: template.inject, carried: undefined };
    if (malformed) return { template: explicit, problem: "malformed" };
    const overruled = own !== undefined && own !== template.inject;
    return { template: explicit, ...(overruled && { problem: "overruled" }) };
  }
  if (malformed)
    // A slip of the pen takes no sidecar from running pods and gives them none.
    return {
      template: marked(inherited ? template : (before ?? NOTHING)),
      problem: "malformed",
    };
  if (own !== undefined) return { template: { inject: own, carried: own } };
  return { template: inherited ? marked(template) : NOTHING };
}

/** "true" and "false" are all that is ever carried: another value under a mark was not written by us. */
function isMarked({ inject, carried }: TemplateValue): boolean {
  return inject !== undefined && isWish(inject) && inject === carried;
}

function marked(value: TemplateValue): TemplateValue {
  return isMarked(value) ? value : NOTHING;
}

function isWish(value: string): boolean {
  return value === "true" || value === "false";
}
