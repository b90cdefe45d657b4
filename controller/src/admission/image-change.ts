import type { Admission, JsonObject } from "./admission.ts";
import { letThrough, refused, sentence } from "./answers.ts";
import { INIT_CONTAINER, PROXY_CONTAINER } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { ourContainer } from "./sidecar-in.ts";

/**
 * The one thing of the sidecar that can be changed in a pod that is there: the images of its containers, whereupon the
 * kubelet runs another program as the user whom iptables spares. Only to the installation's own may it become.
 */
export function judgeImageChange(
  pod: JsonObject,
  before: JsonObject,
  { images }: InjectionOptions,
): Admission {
  const wanted = { [INIT_CONTAINER]: images.init, [PROXY_CONTAINER]: images.proxy };
  const reasons = Object.entries(wanted).flatMap(([name, image]) => {
    const old = ourContainer(before, name)?.image;
    const next = ourContainer(pod, name)?.image;
    if (old === undefined || next === old || next === image) return [];
    const message = `it cannot become ${JSON.stringify(next)}, only "${image}" or what it was`;
    return [sentence({ path: `the image of ${name}`, message })];
  });
  return reasons.length > 0 ? refused(reasons, [], "this change of a pod") : letThrough([]);
}
