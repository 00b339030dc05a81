import { heldPacks, packSchema, type Pack } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import type { PackRow } from "./operations.ts";

/** Packs kept parsed: events of a few weeks pin a handful. */
const PARSED = 8;

/**
 * Reads issued packs. What was read once stays true: of a pack nothing ever changes but that forgotten people leave it, and
 * people are asked of the newest only.
 */
export interface StoredPacks {
  /** Number of the newest pack, null before the first import. */
  newestNumber(): number | null;
  newest(): Pack | null;
  /** A pack by its number, null where none has it. */
  pack(number: number): Pack | null;
  /** A pack with its signature, as devices get it. */
  row(number: number): PackRow | undefined;
  /** The packs issued just before this one that a device may hold still, newest first, without their bytes. */
  before(number: number): readonly Pick<PackRow, "number" | "sha256">[];
}

/** What a stored pack says. */
export function packIn({ bytes }: Pick<PackRow, "bytes">): Pack {
  return packSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

const opened = new WeakMap<DatabaseSync, StoredPacks>();

/** The packs that a connection to the relay's database can read: the same for relay, followers and commands. */
export function packsOf(db: DatabaseSync): StoredPacks {
  const packs = opened.get(db) ?? createStoredPacks(db);
  opened.set(db, packs);
  return packs;
}

function createStoredPacks(db: DatabaseSync): StoredPacks {
  const newestNumber = db.prepare("select max(number) as number from pack");
  const rowOf = db.prepare(
    "select number, sha256, signature, content_hash as contentHash, issued, bytes from pack where number = ?",
  );
  const beforeOf = db.prepare("select number, sha256 from pack where number < ? order by number desc limit ?");
  const parsed = new Map<number, Pack>();
  const row = (number: number) => {
    if (!Number.isSafeInteger(number) || number < 1) return undefined;
    return rowOf.get(number) as PackRow | undefined;
  };
  const pack = (number: number): Pack | null => {
    let found = parsed.get(number);
    if (found === undefined) {
      const stored = row(number);
      if (stored === undefined) return null;
      found = packIn(stored);
    }
    // The one used last is the last to go.
    parsed.delete(number);
    parsed.set(number, found);
    for (const oldest of parsed.keys()) {
      if (parsed.size <= PARSED) break;
      parsed.delete(oldest);
    }
    return found;
  };
  const numberNow = () => (newestNumber.get() as { number: number | null }).number;
  return {
    newestNumber: numberNow,
    newest: () => {
      const number = numberNow();
      return number === null ? null : pack(number);
    },
    pack,
    row,
    before: (number) => beforeOf.all(number, heldPacks - 1) as unknown as Pick<PackRow, "number" | "sha256">[],
  };
}
