import { utcFromMs } from "@sampai/engine/core";
import { defineDetector, type Detector } from "./detector.ts";
import type { Observation } from "./observation.ts";

interface Seen {
  readonly id: string;
  readonly visit: string | null;
  readonly store: string | null;
  readonly ms: number;
  readonly sha256: string;
  readonly dhash: string;
}

interface Evidence {
  readonly photo: string;
  readonly store: string | null;
  readonly at: string;
  readonly bits: number;
}

/**
 * Of 256 bits. Two real photos of one shelf, shot one after the other, lie 30–42 bits apart; re-encoded, shrunk,
 * brightened or stamped copies lie below 24.
 */
const NEAR_BITS = 28;
/** A picture with hardly any edges (a wall, a dark lens) resembles any other: it is not compared. */
const DETAIL_BITS = 40;
const NINETY_DAYS_MS = 90 * 86_400_000;
const KEPT = 500;

/** A photo that looks like an earlier one of the same store, whoever took it. */
export const photoReuseAtStore = reuse("photo-reuse-store", "store", () => true);

/** A photo that looks like one that the same person took at another store in the last 90 days. */
export const photoReuseByRep = reuse(
  "photo-reuse-rep",
  "rep",
  (earlier, now) => earlier.store !== now.store && now.ms - earlier.ms <= NINETY_DAYS_MS,
);

function reuse(
  name: string,
  subject: "store" | "rep",
  compares: (earlier: Seen, now: Observation) => boolean,
): Detector {
  return defineDetector<readonly Seen[], Evidence>({
    name,
    version: 1,
    subject,
    facts: ["photoCaptured"],
    consequence: "annotate",
    start: () => [],
    step: (photos, now) => {
      const { fact, id, visit, store, ms } = now;
      if (fact?.kind !== "photoCaptured" || fact.body.dhash === null) return { state: photos };
      const { sha256, dhash } = fact.body;
      const detail = bitsOf(dhash);
      if (detail < DETAIL_BITS || detail > 256 - DETAIL_BITS) return { state: photos };
      let nearest: { readonly photo: Seen; readonly bits: number } | null = null;
      for (const photo of photos) {
        // Retakes within a visit are honest, and the very same bytes are told by the file's own history.
        if (photo.visit === visit || photo.sha256 === sha256 || !compares(photo, now)) continue;
        const bits = differentBits(photo.dhash, dhash);
        if (bits <= NEAR_BITS && (nearest === null || bits < nearest.bits)) nearest = { photo, bits };
      }
      const state = [...photos, { id, visit, store, ms, sha256, dhash }].slice(-KEPT);
      if (nearest === null) return { state };
      const { photo, bits } = nearest;
      return {
        state,
        findings: [{ event: now, evidence: { photo: photo.id, store: photo.store, at: utcFromMs(photo.ms), bits } }],
      };
    },
    sentence: ({ photo, store, at, bits }) =>
      `Looks like photo ${photo}${store === null ? "" : ` of ${store}`} of ${at.slice(0, 10)} (${bits} of 256 bits differ).`,
  });
}

const bitsInNibble = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4] as const;

function bitsOf(hex: string): number {
  let bits = 0;
  for (const digit of hex) bits += bitsInNibble[Number.parseInt(digit, 16)] ?? 0;
  return bits;
}

/** Hamming distance of two hashes of the same length. */
export function differentBits(a: string, b: string): number {
  let bits = 0;
  for (let index = 0; index < a.length; index += 8) {
    let x = (Number.parseInt(a.slice(index, index + 8), 16) ^ Number.parseInt(b.slice(index, index + 8), 16)) >>> 0;
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    bits += (((x + (x >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
  }
  return bits;
}
