/** Below this rate a piece is halved, so that an order captured meanwhile does not wait for a long one. */
const SLOW_BITS_PER_SECOND = 100_000;
const PIECE_BYTES = 16_384;
const SMALL_PIECE_BYTES = 8_192;

/** How large the next piece should be, from how fast the last ones were acknowledged. */
export interface Pace {
  /** A piece of `bytes` was acknowledged after `tookMs`, while `inFlight` uploads shared the link. */
  acknowledged(bytes: number, tookMs: number, inFlight: number): void;
  pieceBytes(): number;
  /** Bits a second, smoothed; null before anything was measured. */
  rate(): number | null;
}

export function createPace(): Pace {
  let rate: number | null = null;
  return {
    rate: () => rate,
    // Unknown counts as slow: the first piece on a new link must not be the one that is too long.
    pieceBytes: () => (rate === null || rate < SLOW_BITS_PER_SECOND ? SMALL_PIECE_BYTES : PIECE_BYTES),
    acknowledged: (bytes, tookMs, inFlight) => {
      // Small ones measure the way there and back more than the rate.
      if (bytes < SMALL_PIECE_BYTES / 2) return;
      const measured = (bytes * 8 * inFlight * 1_000) / Math.max(1, tookMs);
      rate = rate === null ? measured : rate * 0.7 + measured * 0.3;
    },
  };
}
