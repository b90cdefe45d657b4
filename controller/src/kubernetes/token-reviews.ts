import type { AuthenticationV1Api } from "@kubernetes/client-node";
import { DELIVERY_AUDIENCE } from "@sallyport/core/delivery";
import type { ReviewStatus } from "../delivery/token-review.ts";
import { attempt } from "./api-error.ts";

/** Asks the API server whose a token is, if it is for our audience. */
export function tokenReviews(authentication: AuthenticationV1Api) {
  return async (token: string): Promise<ReviewStatus | undefined> => {
    const spec = { token, audiences: [DELIVERY_AUDIENCE] };
    const { status } = await attempt("create", "a TokenReview", () =>
      authentication.createTokenReview({ body: { spec } }),
    );
    return status;
  };
}
