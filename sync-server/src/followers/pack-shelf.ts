import type { Pack } from "@sampai/engine";

/** Issued reference packs, read-only. They never change. */
export interface PackShelf {
  readonly newest: () => Pack | null;
  /** A pack by its number, null where none has it. */
  readonly pack: (number: number) => Pack | null;
}
