import type { Pack, StoreSeen } from "@sampai/engine";
import type { Person } from "../devices/operations.ts";

/** What HQ knows beside the facts, read-only: who uses which device, what was issued, where the stores are said to be. */
export interface Masters {
  /** The person whom a device was enrolled for: an envelope may claim anything, the enrolment decides. */
  personOf(device: string): string | null;
  person(code: string): Person | undefined;
  people(): readonly Person[];
  /** A pack by its number. Packs never change, so this is the same at every rebuild. */
  pack(number: number): Pack | null;
  newestPack(): Pack | null;
  /** The store master as the relay held it at `received` (RFC 3339 UTC), or null where it had none. */
  storeAt(code: string, received: string): StoreRecord | null;
  /** The store master at the heads that an event pins, or null where the relay does not hold them all. */
  storeSeen(code: string, heads: readonly string[]): StoreSeen | null;
  /** Every stop that the journey plans, as they stand now, have for a day (`YYYY-MM-DD` in the workspace's zone). */
  stopsOn(day: string): readonly PlannedStop[];
}

export interface StoreRecord {
  readonly code: string;
  readonly name: string;
  /** Degrees, WGS 84; null where nobody has located the store. */
  readonly lat: number | null;
  readonly lon: number | null;
  /** Radius in metres within which the store lies for certain, 0 where the coordinates are its own. */
  readonly uncertaintyMeters: number;
  readonly status: string | null;
  readonly territory: string | null;
}

export interface PlannedStop {
  readonly rep: string;
  readonly store: string;
  /** Names the stop, such as `R012/2026-W48/2/3`. */
  readonly plan: string;
}
