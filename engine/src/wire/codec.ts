import { Encoder } from "cbor-x";
import type { z } from "zod";
import { err, ok, type Result } from "../core/result.ts";
import { nestsDeeperThan } from "./cbor-depth.ts";
import { deflateFrame, inflateFrame, isDeflated } from "./deflated.ts";
import { limits } from "./limits.ts";
import type { Refusal } from "./refusals.ts";

// Plain CBOR (RFC 8949): no cbor-x records, no tags for bytes, so that any implementation can read it.
const encoder = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true, variableMapSize: true });

export function encodeFrame(message: object): Uint8Array {
  return encoder.encode(message);
}

/** A frame for the link: in its small form where that is smaller. */
export function foldFrame(frame: Uint8Array): Uint8Array {
  const small = deflateFrame(frame);
  return small === null ? frame : encodeFrame(small);
}

/** Reads one frame, in either form, against a message schema. Never throws, whatever the bytes are. */
export function decodeFrame<S extends z.ZodType>(schema: S, frame: Uint8Array): Result<z.infer<S>, Refusal> {
  if (frame.length > limits.frameBytes) return err({ code: "frame.oversized" });
  let value = decodeCbor(frame);
  if (value.ok && isDeflated(value.value)) {
    const unfolded = inflateFrame(value.value);
    if (!unfolded.ok) return unfolded;
    value = decodeCbor(unfolded.value);
  }
  return value.ok ? parsed(schema, value.value) : value;
}

/** Reads plain CBOR that is no frame, such as a file. Its size is for the caller to bound. Never throws. */
export function decodeCborAs<S extends z.ZodType>(schema: S, bytes: Uint8Array): Result<z.infer<S>, Refusal> {
  const value = decodeCbor(bytes);
  return value.ok ? parsed(schema, value.value) : value;
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): Result<z.infer<S>, Refusal> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
    return err({ code: "frame.malformed", detail: where.slice(0, 200) });
  }
  return ok(parsed.data);
}

function decodeCbor(bytes: Uint8Array): Result<unknown, Refusal> {
  if (nestsDeeperThan(limits.nesting, bytes)) return err({ code: "frame.malformed", detail: "nested too deeply" });
  try {
    return ok(encoder.decode(bytes));
  } catch {
    return err({ code: "frame.malformed", detail: "not CBOR" });
  }
}
