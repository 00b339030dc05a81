import { encodeFrame } from "@sampai/engine/wire";
import { deflateRawSync } from "node:zlib";

/** Below this, folding saves less than it costs. */
const WORTHWHILE_BYTES = 600;

/** A frame in its small form where that is smaller, as the engine's `foldFrame`, by the platform's own and quicker DEFLATE. */
export function foldedFrame(frame: Uint8Array): Uint8Array {
  if (frame.length < WORTHWHILE_BYTES) return frame;
  const deflated = deflateRawSync(frame);
  return deflated.length < frame.length * 0.9 ? encodeFrame({ deflated, length: frame.length }) : frame;
}
