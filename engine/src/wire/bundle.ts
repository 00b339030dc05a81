import { z } from "zod";
import type { Result } from "../core/result.ts";
import { decodeCborAs } from "./codec.ts";
import { inflateFrame } from "./deflated.ts";
import { bundledDocumentSchema, type Bundle, type BundledDocument } from "./messages.ts";
import type { Refusal } from "./refusals.ts";

/** The documents of a bundle: CBOR of a list of `BundledDocument`, folded like a frame. Never throws. */
export function unfoldBundle(bundle: Bundle): Result<BundledDocument[], Refusal> {
  const unfolded = inflateFrame(bundle);
  return unfolded.ok ? decodeCborAs(z.array(bundledDocumentSchema), unfolded.value) : unfolded;
}
