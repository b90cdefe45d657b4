import { type Notes, under } from "./notes.ts";

const CONDITION: Notes = {
  ".type": { says: "What it is about: Ready, Accepted." },
  ".status": { says: "Whether it is so: True, False or Unknown." },
  ".reason": { says: "Why, in one word for programs." },
  ".message": { says: "Why, for people." },
  ".lastTransitionTime": { says: "Since when it has had this status." },
  ".observedGeneration": { says: "The metadata.generation that it was said of." },
};

const REPLICA: Notes = {
  ".name": { says: "The controller's identity." },
  ".appliedPods": { says: "Of the pods connected to it, those that have applied the object." },
  ".allowed": { says: "What it has heard of as permitted." },
  ".refused": { says: "What it has heard of as refused." },
  ".behindPods": {
    says: "Of the pods connected to it, those that have an older one, or cannot use it.",
  },
  ".behind": { says: "A few of them, and why; on a rule alone." },
};

/** Of both kinds; `allowed` and `refused` say what is counted. */
export const status = (allowed: string, refused: string): Notes => ({
  status: { says: "What the controllers found; nobody else writes it." },
  "status.observedGeneration": { says: "The metadata.generation that all this was said of." },
  "status.matchedPods": { says: "How many injected pods it is for." },
  "status.appliedPods": {
    says: "How many of the matched pods have applied it as it is now.",
  },
  "status.allowed": { says: allowed },
  "status.refused": { says: refused },
  "status.conditions": {
    says: "Ready: every matched pod has applied it. Accepted: it can be used, and no ceiling takes all of it away.",
    keyedBy: "type",
  },
  ...under("status.conditions[]", CONDITION),
  "status.replicas": {
    says: "Each controller's share of the counts, which it alone writes.",
    keyedBy: "name",
  },
  ...under("status.replicas[]", REPLICA),
  "status.past": { says: "What controllers that are gone had counted." },
  "status.past.allowed": { says: "What they had heard of as permitted." },
  "status.past.refused": { says: "What they had heard of as refused." },
});
