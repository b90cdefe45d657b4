import { get as getPlain } from "node:http";
import { get as getSecure, type RequestOptions } from "node:https";

/** Asks once, each time it is called: is there an answer 200? */
export const answersOk =
  (url: string, as: Pick<RequestOptions, "ca" | "cert" | "key"> = {}) =>
  (): Promise<boolean> =>
    new Promise((resolve) => {
      const get = url.startsWith("https:") ? getSecure : getPlain;
      const request = get(url, { ...as, agent: false, timeout: 2_000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on("timeout", () => request.destroy());
      request.on("error", () => resolve(false));
    });
