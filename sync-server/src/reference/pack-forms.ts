import { assert, packDelta } from "@sampai/engine";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { PackRow } from "./operations.ts";
import type { StoredPacks } from "./stored-packs.ts";

/** Bytes as they are, and gzipped once for everybody. */
export interface Form {
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
}

export interface PackForms {
  whole(row: PackRow): Promise<Form>;
  /** What makes a pack of the one with that hash; null where that is no gain or the device cannot hold that one. */
  delta(row: PackRow, baseSha256: readonly string[]): Promise<(Form & { readonly base: string }) | null>;
}

const packed = promisify(gzip);
/** Whole packs kept gzipped: phones fetch the newest, a few catch up from the one before. */
const WHOLE = 3;

/**
 * The forms in which packs leave. Deltas are made to the newest pack only, from those that a phone may hold, each once:
 * whoever asks, a new pack costs a bounded number of them.
 */
export function createPackForms(packs: StoredPacks): PackForms {
  // By hash, because a decision may rewrite what a number stands for.
  const wholes = new Map<string, Promise<Form>>();
  let deltas: { readonly to: number; readonly from: Map<string, Promise<Form>> } = { to: 0, from: new Map() };

  const formOf = async (bytes: Uint8Array): Promise<Form> => ({ bytes, gzipped: await packed(bytes, { level: 9 }) });
  const whole = (row: PackRow): Promise<Form> => {
    const form = wholes.get(row.sha256) ?? formOf(row.bytes);
    wholes.delete(row.sha256);
    wholes.set(row.sha256, form);
    for (const oldest of wholes.keys()) if (wholes.size > WHOLE) wholes.delete(oldest);
    return form;
  };
  const make = (base: number, row: PackRow): Promise<Form> => {
    const held = packs.row(base);
    assert(held !== undefined, "an issued pack stays");
    return formOf(packDelta(held.bytes, row.bytes));
  };

  return {
    whole,
    delta: async (row, baseSha256) => {
      if (row.number !== packs.newestNumber()) return null;
      if (deltas.to !== row.number) deltas = { to: row.number, from: new Map() };
      const base = packs.before(row.number).find(({ sha256 }) => baseSha256.includes(sha256));
      if (base === undefined) return null;
      const made = deltas.from.get(base.sha256) ?? make(base.number, row);
      deltas.from.set(base.sha256, made);
      const [delta, { gzipped }] = [await made, await whole(row)];
      return delta.gzipped.length < gzipped.length ? { ...delta, base: base.sha256 } : null;
    },
  };
}
