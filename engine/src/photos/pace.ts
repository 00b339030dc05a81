import type { PhotoPart } from "./channel.ts";

/**
 * How long a piece may keep the link: an order that is captured meanwhile waits for the pieces on their way. With two
 * of them the link stays full as long as the way there and back is no longer than this.
 */
const PIECE_MS = 310;
/** Smaller ones cost more for their heads than they give. */
const LEAST_BYTES = 4_608;
const MOST_BYTES = 65_536;
/** What takes longer than this has the link to itself: two would keep an order waiting for too long. */
const ALONE_MS = 1_000;
/** Less of it measures the way there and back more than the rate. */
const TELLING_BYTES = 4_096;
/** A measurement can be too low, when the link was not full, and hardly too high: so a higher one counts for more. */
const RISE_SHARE = 0.7;
const FALL_SHARE = 0.3;
/** Bits a second that a new contact is believed to have at most, as it may be another network than the last one. */
const UNPROVEN_RATE = (LEAST_BYTES * 8_000) / PIECE_MS;
/** A link that is back so soon is most likely the same one; still no more than half of its rate is believed. */
const SAME_LINK_MS = 30_000;
const SAME_LINK_SHARE = 0.5;

/** How much of the link photos may fill, from how fast the last pieces were acknowledged. */
export interface Pace {
  /** A piece was acknowledged after `tookMs`; `bytes` of all uploads were, from when it was sent until now. */
  acknowledged(bytes: number, tookMs: number): void;
  /** What something else of `bytes` took to be answered: believed where nothing was measured yet. */
  guess(bytes: number, tookMs: number): void;
  /** Another connection, `goneMs` after the last one was lost: what was measured before is believed only in part. */
  contact(goneMs: number): void;
  /** Size of the next piece in bytes, of a file of which `leftBytes` are to go; `last` where no other upload shares the link. */
  pieceBytes(part: PhotoPart, leftBytes: number, last: boolean): number;
  /** Uploads that may share the link. */
  inFlight(part: PhotoPart): number;
}

const rateOf = (bytes: number, tookMs: number) => (bytes * 8_000) / Math.max(1, tookMs);

export function createPace(): Pace {
  /** Bits a second; null before anything was measured, which counts as slow. */
  let rate: number | null = null;
  const takesMs = (bytes: number) => (rate === null ? Number.POSITIVE_INFINITY : (bytes * 8_000) / rate);
  const usualBytes = () => Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, ((rate ?? 0) * PIECE_MS) / 8_000)));

  return {
    pieceBytes: (part, leftBytes, last) => {
      // A preview in one piece is there one round trip earlier; alone on an unknown link it may take its time.
      const whole = part === "preview" && (rate === null || takesMs(leftBytes) <= ALONE_MS);
      if (whole) return leftBytes;
      // The last one takes the place of two, so that the link does not rest for a round trip after each piece.
      const places = last && takesMs(2 * usualBytes()) <= ALONE_MS ? 2 : 1;
      return Math.min(leftBytes, places * usualBytes());
    },
    inFlight: (part) => {
      if (takesMs(usualBytes()) > ALONE_MS) return 1;
      // A preview is answered after the relay has decoded it: a third one fills the wait.
      return part === "preview" && takesMs(3 * LEAST_BYTES) <= ALONE_MS / 2 ? 3 : 2;
    },
    contact: (goneMs) => {
      if (rate === null) return;
      const believed = goneMs <= SAME_LINK_MS ? rate * SAME_LINK_SHARE : 0;
      rate = Math.min(rate, Math.max(UNPROVEN_RATE, believed));
    },
    guess: (bytes, tookMs) => {
      if (bytes >= TELLING_BYTES) rate ??= rateOf(bytes, tookMs);
    },
    acknowledged: (bytes, tookMs) => {
      if (bytes < TELLING_BYTES) return;
      const measured = rateOf(bytes, tookMs);
      if (rate === null) rate = measured;
      // Far below is no noise: the link has become another one, and large pieces would stand in the way at once.
      else if (measured < rate / 2) rate = measured;
      else rate += (measured - rate) * (measured > rate ? RISE_SHARE : FALL_SHARE);
    },
  };
}
