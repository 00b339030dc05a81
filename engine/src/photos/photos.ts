import type { Clock, ClockAnchor } from "../core/clock.ts";
import type { Ids } from "../core/id.ts";
import type { Network } from "../core/network.ts";
import type { Random } from "../core/random.ts";
import type { Result } from "../core/result.ts";
import type { CaptureError, CapturedFact, Facts } from "../events/facts.ts";
import type { Place } from "../events/event.ts";
import type { Identity } from "../identity.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { DayMeter } from "../outbox/meter.ts";
import type { Reference } from "../reference/reference.ts";
import type { Files } from "../storage/files.ts";
import type { Storage } from "../storage/storage.ts";
import type { Attempt, Claim, RefusalCode } from "../wire/index.ts";
import type { PhotoChannel } from "./channel.ts";

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

/**
 * What a waiting photo waits for: its own event's acknowledgement, the link, Wi-Fi, the home network, tomorrow's
 * mobile data, tomorrow's quota at HQ, or the relay (full, busy, or an answer that was no success).
 */
export type PhotoWait = "event" | "signal" | "wifi" | "roaming" | "budget" | "quota" | "relay";

export interface OwedPhoto {
  readonly id: string;
  readonly visit: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly sentBytes: number;
  readonly state: PhotoState;
  /** What it waits for, for a screen that has its own words; null while nothing holds it back. */
  readonly waitsFor: PhotoWait | null;
  /** With which code HQ refused it for good; null where it did not. */
  readonly refusal: RefusalCode | null;
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

/** What a room of photos needs. `createPhotos(deps)` in `create.ts` makes it. */
export interface PhotosDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly storage: Storage;
  readonly files: Files;
  readonly facts: Facts;
  readonly reference: Reference;
  readonly pictures: Pictures;
  readonly channel: PhotoChannel;
  readonly network: Network;
  readonly lanes: Lanes;
  readonly meter: DayMeter;
  /** The clock anchor of the last contact. */
  anchor(): ClockAnchor | null;
  /** Notes a try in the ring of attempts, which gives it its number. */
  attempt(attempt: Omit<Attempt, "number">): void;
  /** A piece has had no answer for long: whoever owns the connection finds out whether the link is dead. */
  doubt(): void;
}

/** Of today's mobile data for photos: how much is used, and how much HQ's policy allows. Wi-Fi has no such limit. */
export interface PhotoBudget {
  readonly usedBytes: number;
  readonly allowedBytes: number;
}

/** The photos room as the engine wires it: what the app sees, and what the session and the claim need. */
export interface PhotosRoom extends Photos {
  /** What HQ does not hold yet, for the claim: owed, and lost on this phone. At most 1,000, oldest first. */
  owed(): Claim["photosOwed"];
  /**
   * Photos that can still reach HQ, and the bytes of them that are not there; the lane is empty at 0. `notComing`: refused
   * by HQ, or lost on this phone.
   */
  queue(): { readonly photos: number; readonly bytes: number; readonly notComing: number };
  budget(): PhotoBudget;
  /** Facts can flow: photos may go on behind them. `term` is the relay's, so that a restored relay is offered all again. */
  connected(contact: { readonly term: string }): void;
  /** A frame of facts of `bytes` was answered after `tookMs`: the first that is known of a link. */
  measured(bytes: number, tookMs: number): void;
  /** The connection ended: what is in flight stops, and goes on from the acknowledged byte at the next contact. */
  lost(): void;
  /** Stops sending and waits until what is being saved is saved. */
  close(): Promise<void>;
}
