import type { Result } from "../core/result.ts";
import type { CaptureError, CapturedFact } from "../events/facts.ts";
import type { Place } from "../events/event.ts";

/** PORT. What a platform can do with pictures. */
export interface Pictures {
  /**
   * Decodes a picture, turns it upright (EXIF orientation), shrinks it so that the longest edge is at most
   * `longestEdge` pixels and encodes it as JPEG without private metadata. Answers null where it is no picture.
   */
  encode(bytes: Uint8Array, options: { longestEdge: number; quality: number }): Promise<EncodedPicture | null>;
  /** Grey values, one byte a pixel, row by row, of the picture squeezed to this size; null where it is no picture. */
  grey(bytes: Uint8Array, width: number, height: number): Promise<Uint8Array | null>;
}

export interface EncodedPicture {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface PhotoInput {
  readonly bytes: Uint8Array;
  readonly id?: string;
  readonly visit: string;
  readonly store: string;
  readonly place?: Place | null;
  readonly purpose: "shelf" | "storefront" | "competitor" | "damage" | "other";
}

/** Where a photo is on its way. `lost`: its file vanished from this phone before HQ had it. */
export type PhotoState = "waiting" | "sending" | "preview-at-hq" | "at-hq" | "refused" | "lost";

export interface OwedPhoto {
  readonly id: string;
  readonly visit: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly sentBytes: number;
  readonly state: PhotoState;
  /** Why it waits, in words a person understands; empty while nothing holds it back. */
  readonly reason: string;
}

export type PhotoError = CaptureError | { readonly code: "photo.type" | "photo.size"; readonly detail: string };

export interface Photos {
  /** Encodes by policy, stores the bytes, then captures the fact with its hash and owes the photo in one commit. */
  capture(input: PhotoInput): Promise<Result<CapturedFact, PhotoError>>;
  /** Every photo taken here and still kept, oldest first. */
  list(): readonly OwedPhoto[];
  /** The preview's bytes as JPEG, undefined where it is not here. */
  preview(id: string): Promise<Uint8Array | undefined>;
  onChange(listener: () => void): () => void;
}
