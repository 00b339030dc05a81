import type { Crypto } from "../core/crypto.ts";
import { bytesEqual, bytesToHex, hexToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Storage } from "../storage/storage.ts";
import { openPack, type PackError, type PackFile } from "./pack-file.ts";
import type { Pack } from "./pack.ts";
import type { Reference } from "./reference.ts";

/** Packs kept for what pins them (`seen.pack`), the one in force counted. Older ones are dropped at a swap. */
export const heldPacks = 12;

const PREFIX = "reference/pack/";
const packKey = (number: number) => `${PREFIX}${String(number).padStart(10, "0")}`;
const SIGNATURE_BYTES = 64;

export interface ReferenceDeps {
  readonly storage: Storage;
  readonly crypto: Crypto;
  readonly workspace: string;
  /** The workspace's root key, 64 hexadecimal digits, as the enrolment gave it. */
  readonly rootKey: string;
  /** Whether no visit is open: a visit is never judged by two price lists. */
  readonly maySwap: () => boolean;
}

/** The reference of this device with what the sync needs of it. */
export interface HeldReference extends Reference {
  /** Number of the newest pack held here, in force or waiting; 0 where there is none. */
  newest(): number;
  /** The newest pack held here as it was signed, for a delta to build on; undefined where there is none. */
  newestFile(): Promise<Pick<PackFile, "bytes" | "sha256"> | undefined>;
  /**
   * Verifies a pack and makes it durable; it comes into force at once, or by `settle` after the open visit. What is
   * refused is not kept, and the pack in force stays.
   */
  offer(file: Pick<PackFile, "number" | "bytes" | "signature">): Promise<Result<Pack, PackError>>;
  /** Puts the newest pack into force if no visit is open. Call it whenever a visit may have ended. */
  settle(): Promise<void>;
  /** Packs that were found unreadable on this device, by number. They are fetched again when they are the newest. */
  readonly damaged: readonly number[];
}

/**
 * Opens what this device holds. After a restart the pack that was in force is in force again, unless its bytes are
 * damaged: then the newest whole one is.
 */
export async function createReference(deps: ReferenceDeps): Promise<HeldReference> {
  const { storage, crypto, workspace, rootKey } = deps;
  const opened = new Map<number, { readonly pack: Pack; readonly sha256: string }>();
  const damaged: number[] = [];
  const numbers = new Set((await storage.range(PREFIX)).map(({ key }) => Number(key.slice(PREFIX.length))));
  const newest = () => Math.max(0, ...numbers);

  const stored = async (number: number) => {
    const value = (await storage.get(packKey(number))) ?? new Uint8Array();
    return { bytes: value.subarray(SIGNATURE_BYTES), signature: bytesToHex(value.subarray(0, SIGNATURE_BYTES)) };
  };

  /** Reads one held pack; a damaged one stops counting as held. */
  const read = async (number: number): Promise<Pack | undefined> => {
    const known = opened.get(number);
    if (known !== undefined || !numbers.has(number)) return known?.pack;
    const read = await openPack(await stored(number), { workspace, rootKey, number }, crypto);
    if (read.ok) {
      opened.set(number, read.value);
      return read.value.pack;
    }
    numbers.delete(number);
    damaged.push(number);
    return undefined;
  };

  const inForce = await storage.get("reference/current");
  const noted = inForce === undefined ? 0 : Number(new TextDecoder().decode(inForce));
  let current = (await read(noted)) ?? null;
  // The newest is read at once too: a damaged one must not be claimed as held.
  while (numbers.size > 0 && (await read(newest())) === undefined);
  current ??= (await read(newest())) ?? null;
  const listeners = new Set<() => void>();

  const swapTo = async (pack: Pack) => {
    const dropped = [...numbers].sort((a, b) => b - a).slice(heldPacks);
    await storage.commit([
      { key: "reference/current", value: new TextEncoder().encode(String(pack.number)) },
      ...dropped.map((number) => ({ key: packKey(number), value: null })),
    ]);
    for (const number of dropped) {
      numbers.delete(number);
      opened.delete(number);
    }
    current = pack;
    for (const listener of listeners) listener();
  };
  // One after the other: an offer and a settle never decide on the same state at once.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const settleNow = async () => {
    const next = await read(newest());
    if (next !== undefined && next.number !== current?.number && (current === null || deps.maySwap())) {
      await swapTo(next);
    }
  };

  return {
    damaged,
    newest,
    newestFile: () =>
      inTurn(async () => {
        await read(newest());
        const sha256 = opened.get(newest())?.sha256;
        return sha256 === undefined ? undefined : { bytes: (await stored(newest())).bytes, sha256 };
      }),
    current: () => current,
    pack: (number) => inTurn(() => read(number)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    settle: () => inTurn(settleNow),
    offer: (file) =>
      inTurn(async () => {
        const read = await openPack(file, { workspace, rootKey, number: file.number }, crypto);
        if (!read.ok) return err(read.error);
        const { pack } = read.value;
        if (numbers.has(pack.number)) {
          if (!bytesEqual((await stored(pack.number)).bytes, file.bytes)) {
            return err({ code: "pack.number", detail: `another pack ${pack.number} is held here already` });
          }
        } else {
          const value = new Uint8Array(SIGNATURE_BYTES + file.bytes.length);
          value.set(hexToBytes(file.signature), 0);
          value.set(file.bytes, SIGNATURE_BYTES);
          await storage.commit([{ key: packKey(pack.number), value }]);
          numbers.add(pack.number);
          opened.set(pack.number, read.value);
          const repaired = damaged.indexOf(pack.number);
          if (repaired >= 0) damaged.splice(repaired, 1);
        }
        await settleNow();
        return ok(pack);
      }),
  };
}
