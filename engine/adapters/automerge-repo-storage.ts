import type { Chunk, StorageAdapterInterface, StorageKey } from "@automerge/automerge-repo/slim";
import type { Storage, StorageWrite } from "../src/storage/storage.ts";

const ROOT = "repo/";
const NEXT = "repo.next";
const ORDER_BYTES = 6;

/**
 * automerge-repo's storage over ours, for those who bring a Repo of their own: every save is durable when it resolves,
 * torn files never hide older ones. Its entries stand below `repo/`, apart from the engine's. A range comes in the
 * order in which its keys were first saved, which automerge-repo's own suite asks for.
 */
export function createAutomergeRepoStorage(storage: Storage): StorageAdapterInterface {
  let last: Promise<unknown> = Promise.resolve();
  /** A save reads before it writes: one after the other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const nextOrder = async () => {
    const kept = await storage.get(NEXT);
    return kept === undefined ? 0 : orderOf(kept);
  };
  return {
    load: async (key) => {
      await last;
      return (await storage.get(nameOf(key)))?.slice(ORDER_BYTES);
    },
    save: (key, data) => {
      const copy = data.slice();
      return inTurn(async () => {
        const name = nameOf(key);
        const before = await storage.get(name);
        const order = before === undefined ? await nextOrder() : orderOf(before);
        const value = new Uint8Array(ORDER_BYTES + copy.length);
        value.set(orderBytes(order));
        value.set(copy, ORDER_BYTES);
        const writes: StorageWrite[] = [{ key: name, value }];
        if (before === undefined) writes.push({ key: NEXT, value: orderBytes(order + 1) });
        await storage.commit(writes);
      });
    },
    remove: (key) => inTurn(() => storage.commit([{ key: nameOf(key), value: null }])),
    loadRange: async (prefix) => {
      await last;
      const entries = await storage.range(nameOf(prefix));
      return entries
        .map(({ key, value }) => ({ order: orderOf(value), key: keyOf(key), data: value.slice(ORDER_BYTES) }))
        .sort((a, b) => a.order - b.order)
        .map(({ key, data }): Chunk => ({ key, data }));
    },
    removeRange: (prefix) =>
      inTurn(async () => {
        const entries = await storage.range(nameOf(prefix));
        await storage.commit(entries.map(({ key }) => ({ key, value: null })));
      }),
  };
}

/** Each part ends with `/`, so that no key is the beginning of another part's name. `_` and what our keys cannot hold is escaped. */
function nameOf(key: StorageKey): string {
  return ROOT + key.map((part) => `${escapePart(part)}/`).join("");
}

function keyOf(name: string): string[] {
  return name
    .slice(ROOT.length, -1)
    .split("/")
    .map((part) => decodeURIComponent(part.replaceAll("_", "%")));
}

function escapePart(part: string): string {
  const bytes = new TextEncoder().encode(part);
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

function orderBytes(order: number): Uint8Array {
  const bytes = new Uint8Array(ORDER_BYTES);
  new DataView(bytes.buffer).setUint16(0, Math.floor(order / 2 ** 32));
  new DataView(bytes.buffer).setUint32(2, order % 2 ** 32);
  return bytes;
}

function orderOf(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, ORDER_BYTES);
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2);
}
