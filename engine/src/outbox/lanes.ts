/** What shares the link, most urgent first: a fact never waits for a photo. */
export const laneNames = ["facts", "documents", "photos"] as const;
export type LaneName = (typeof laneNames)[number];

/**
 * Who may put bytes on the link now. A lane says while it has something to send (`waiting`); `enter` of a lower lane
 * resolves only when no higher lane waits to send. What a higher lane has sent and is not answered yet holds nobody up:
 * whatever follows stands behind it.
 */
export interface Lanes {
  /** Says that this lane has something to send, or has no more. */
  waiting(lane: LaneName, waits: boolean): void;
  /** Resolves with a release function when the lane may send one frame or piece. Release it when it was answered or lost. */
  enter(lane: LaneName): Promise<() => void>;
  /** Whether a higher lane wants the link: a lower one pauses between pieces. */
  mustYield(lane: LaneName): boolean;
}

/** Bytes on the link, counted where they are sent and received. The adapters of link and HTTP call it. */
export interface Meter {
  sent(lane: LaneName | "link", bytes: number): void;
  received(lane: LaneName | "link", bytes: number): void;
}
