import type { Watch } from "./watch.ts";

/** A follower that cannot go on. What was captured is safe; what hangs on the follower is late. */
export const followerStuck: Watch = {
  name: "follower-stuck",
  look: ({ followers }) =>
    followers
      .filter(({ failures }) => failures > 1)
      .map(({ name, stream, position, behind, failingSince, error }) => ({
        subject: name,
        rep: null,
        reason: `${name} stands at ${stream} #${position}, ${behind} behind: ${error ?? "unknown"}`,
        evidence: { stream, position, behind, failingSince, error },
      })),
};
