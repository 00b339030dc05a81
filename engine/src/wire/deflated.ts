import { deflateSync, Inflate } from "fflate";
import { err, ok, type Result } from "../core/result.ts";
import { FOLDING_WORDS, foldingWords } from "./folding-words.ts";
import { limits } from "./limits.ts";
import type { Refusal } from "./refusals.ts";

/**
 * A frame in its small form: raw DEFLATE (RFC 1951) of the frame's CBOR, and the length it unfolds to. A queue of
 * orders is one JSON after another, and shrinks to a fifth: on a thin link that is the difference between one second
 * and three. Only whole frames are folded, once. `words` names the preset dictionary; absent, there is none.
 */
export interface DeflatedFrame {
  readonly deflated: Uint8Array;
  readonly length: number;
  readonly words?: number | undefined;
}

/** Below this, folding saves less than its own header costs. */
export const WORTHWHILE_BYTES = 300;
/** Input is unfolded in pieces of this size, so that a bomb is noticed after at most 4 MB (DEFLATE's 1 : 1032). */
const PIECE_BYTES = 4_096;

export function isDeflated(value: unknown): value is DeflatedFrame {
  if (typeof value !== "object" || value === null) return false;
  const { deflated, length } = value as Partial<DeflatedFrame>;
  return deflated instanceof Uint8Array && typeof length === "number";
}

/** The small form, or null where it would not be smaller. */
export function deflateFrame(frame: Uint8Array): DeflatedFrame | null {
  if (frame.length < WORTHWHILE_BYTES) return null;
  const deflated = deflateSync(frame, { dictionary: foldingWords });
  return deflated.length < frame.length * 0.9 ? { deflated, length: frame.length, words: FOLDING_WORDS } : null;
}

/** Unfolds a frame, never beyond the length it states nor beyond the frame limit. Never throws. */
export function inflateFrame({ deflated, length, words }: DeflatedFrame): Result<Uint8Array, Refusal> {
  if (words !== undefined && words !== FOLDING_WORDS)
    return err({ code: "frame.malformed", detail: "folded with words that are not known here" });
  if (!Number.isSafeInteger(length) || length < 0 || length > limits.frameBytes)
    return err({ code: "frame.oversized" });
  const frame = new Uint8Array(length);
  const unfolded = { bytes: 0 };
  const inflate = new Inflate(words === undefined ? {} : { dictionary: foldingWords }, (piece) => {
    if (unfolded.bytes + piece.length <= length) frame.set(piece, unfolded.bytes);
    unfolded.bytes += piece.length;
  });
  try {
    for (let from = 0; from < deflated.length && unfolded.bytes <= length; from += PIECE_BYTES) {
      inflate.push(deflated.subarray(from, from + PIECE_BYTES), from + PIECE_BYTES >= deflated.length);
    }
  } catch {
    return err({ code: "frame.malformed", detail: "not DEFLATE" });
  }
  if (unfolded.bytes > length) return err({ code: "frame.oversized", detail: "unfolds to more than it states" });
  return unfolded.bytes === length
    ? ok(frame)
    : err({ code: "frame.malformed", detail: "unfolds to less than it states" });
}
