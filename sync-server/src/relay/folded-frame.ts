import { encodeFrame, FOLDING_WORDS, foldingWords, WORTHWHILE_BYTES } from "@sampai/engine/wire";
import { deflateRawSync } from "node:zlib";

/** A frame in its small form where that is smaller, as the engine's `foldFrame`, by the platform's own and quicker DEFLATE. */
export function foldedFrame(frame: Uint8Array): Uint8Array {
  if (frame.length < WORTHWHILE_BYTES) return frame;
  const deflated = deflateRawSync(frame, { dictionary: foldingWords });
  if (deflated.length >= frame.length * 0.9) return frame;
  return encodeFrame({ deflated, length: frame.length, words: FOLDING_WORDS });
}
