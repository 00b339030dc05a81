import type { Refusal } from "../wire/index.ts";

/** `preview`: a few kilobytes to look at. `original`: the bytes whose hash stands in the event. */
export type PhotoPart = "preview" | "original";

/**
 * PORT. Resumable uploads to the relay (tus 1.0.0 at `/files/`), in pieces, each answered before the next one is sent.
 * An adapter MUST authenticate every request, MUST ask `enter` before each request and release what it got when the
 * request was answered or lost, and MUST NOT wait or try again by itself: when to go on is the lane's to say.
 */
export interface PhotoChannel {
  /** Starts an upload, or goes on with the one at `path` from the offset that the relay holds. MUST NOT throw. */
  send(upload: PhotoUpload): PhotoTransfer;
}

export interface PhotoUpload {
  readonly bytes: Uint8Array;
  readonly metadata: { readonly photo: string; readonly part: PhotoPart; readonly sha256: string };
  /** Where the relay keeps the unfinished upload, as `created` told it; null starts a new one. */
  readonly path: string | null;
  /** Size of the next piece in bytes. */
  pieceBytes(): number;
  /** Resolves when one request may go on the link, with the function that gives the link free again; null: stop here. */
  enter(): Promise<(() => void) | null>;
  /** The relay made the upload: its path (no host, so that a changed address changes nothing). */
  created(path: string): void;
  /** The relay said how far an earlier try had come. */
  resumed(offset: number): void;
  /** A piece was answered: the relay holds the bytes up to `offset`. */
  acknowledged(offset: number): void;
  /** Bytes of one request and its answer, headers included, as well as the platform can tell. */
  spent(sentBytes: number, receivedBytes: number): void;
}

export interface PhotoTransfer {
  /** MUST resolve exactly once and MUST NOT reject. */
  readonly ended: Promise<PhotoTransferEnd>;
  /** Stops now, also in mid request; `ended` follows with `stopped`. */
  stop(): void;
}

/**
 * `complete`: the relay verified and keeps the whole. `gone`: the relay no longer knows the unfinished upload.
 * `refused`: it answered with a refusal. `lost`: no answer, or one that is not the relay's. `stopped`: told to stop.
 */
export type PhotoTransferEnd =
  | { readonly end: "complete" | "gone" | "lost" | "stopped" }
  | { readonly end: "refused"; readonly refusal: Refusal; readonly retryAfterMs: number | null };
