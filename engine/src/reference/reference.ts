import type { Pack } from "./pack.ts";

/** What HQ issued, on this device. A phone swaps whole packs, between visits only; old ones stay readable. */
export interface Reference {
  /** The pack in force here, or null before the first one has come. */
  current(): Pack | null;
  /** An older or newer pack that this device still holds. */
  pack(number: number): Promise<Pack | undefined>;
  onChange(listener: () => void): () => void;
}
