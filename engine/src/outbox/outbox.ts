import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { inSlices } from "../core/slices.ts";
import { decodeFrame, encodeFrame, type RefusalCode } from "../wire/index.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";

const owedSchema = z.strictObject({
  run: z.string(),
  seq: z.int(),
  prev: z.string().nullable(),
  hash: z.string(),
  order: z.boolean(),
  /** RFC 3339 UTC: when it became durable here. */
  at: z.string(),
});
/** An event that the relay has not acknowledged. */
export type Owed = z.infer<typeof owedSchema>;

const receiptSchema = z.strictObject({
  run: z.string(),
  seq: z.int(),
  prev: z.string().nullable(),
  hash: z.string(),
  term: z.string(),
  position: z.int(),
  /** RFC 3339 UTC: when the receipt became durable here. */
  at: z.string(),
});
/** What the relay promised for an event: it is durable there, at this position of this term. */
export type Receipt = z.infer<typeof receiptSchema>;

const termsSchema = z.array(z.strictObject({ term: z.string(), position: z.int() }));
const refusedSchema = z.strictObject({ hash: z.string(), code: z.string() });

/** What the relay owes an answer to, what it has promised, and what it refused. */
export interface Outbox {
  /** By hash. A refused event stays owed: nothing that was captured is ever dropped. */
  owed(): ReadonlyMap<string, Owed>;
  receipt(hash: string): Receipt | undefined;
  receipts(): IterableIterator<Receipt>;
  refusal(hash: string): RefusalCode | undefined;
  /** Highest position acknowledged in each term. */
  terms(): readonly { readonly term: string; readonly position: number }[];
  /** The write that makes a new event owed; it belongs into the event's own commit. */
  owe(owed: Owed): StorageWrite;
  /** Call it when that commit is durable. */
  owes(owed: Owed): void;
  /** Makes receipts durable, then known: nothing is shown as acknowledged before. `also` commits with them. */
  acknowledge(acknowledged: readonly Receipt[], also: readonly StorageWrite[]): Promise<void>;
  /** Takes receipts back whose places the relay lost, and owes their events again, in one commit. */
  oweAgain(entries: readonly Owed[]): Promise<void>;
  /** The writes that let a receipt go with its event. */
  release(hash: string): StorageWrite;
  /** Call it when that write is durable. */
  released(hash: string): void;
  /** Makes a refusal durable, then known. */
  refuse(hash: string, code: RefusalCode): Promise<void>;
  /** The relay has taken note that this device cannot read the event: nothing is owed for it any more. */
  writeOff(hash: string): Promise<void>;
  /** In memory only: on its way now. */
  sending(hashes: readonly string[], are: boolean): void;
  isSending(hash: string): boolean;
  queue(): { readonly events: number; readonly orders: number; readonly oldestAt: string | null };
  /** Called with receipts when they are durable. The answer stops it. */
  onReceipts(listener: (receipts: readonly Receipt[]) => void): () => void;
  /** Called after each change. The answer stops it. */
  onChange(listener: () => void): () => void;
}

const keyOf = (kind: "owed" | "receipt" | "refused", hash: string) => `outbox/${kind}/${hash}`;

export async function openOutbox(storage: Storage, clock: Clock): Promise<Outbox> {
  const owed = new Map<string, Owed>();
  const receipts = new Map<string, Receipt>();
  const refused = new Map<string, RefusalCode>();
  const onTheWay = new Set<string>();
  const listeners = new Set<() => void>();
  const receiptListeners = new Set<(receipts: readonly Receipt[]) => void>();
  // What cannot be read here is learnt anew: an owed event is offered again, a receipt is asked for again.
  for await (const { value } of inSlices(await storage.range("outbox/owed/"), clock)) {
    const read = decodeFrame(owedSchema, value);
    if (read.ok) owed.set(read.value.hash, read.value);
  }
  for await (const { value } of inSlices(await storage.range("outbox/receipt/"), clock)) {
    const read = decodeFrame(receiptSchema, value);
    if (read.ok) receipts.set(read.value.hash, read.value);
  }
  for await (const { value } of inSlices(await storage.range("outbox/refused/"), clock)) {
    const read = decodeFrame(refusedSchema, value);
    if (read.ok) refused.set(read.value.hash, read.value.code as RefusalCode);
  }
  const storedTerms = await storage.get("outbox/terms");
  const readTerms = storedTerms === undefined ? undefined : decodeFrame(termsSchema, storedTerms);
  const terms = new Map(readTerms?.ok === true ? readTerms.value.map(({ term, position }) => [term, position]) : []);
  for (const { term, position } of receipts.values()) terms.set(term, Math.max(position, terms.get(term) ?? 0));
  const changed = () => {
    for (const listener of listeners) listener();
  };

  return {
    owed: () => owed,
    receipt: (hash) => receipts.get(hash),
    receipts: () => receipts.values(),
    refusal: (hash) => refused.get(hash),
    terms: () => [...terms].map(([term, position]) => ({ term, position })),
    owe: (entry) => ({ key: keyOf("owed", entry.hash), value: encodeFrame(entry) }),
    owes: (entry) => {
      owed.set(entry.hash, entry);
      changed();
    },
    acknowledge: async (acknowledged, also) => {
      const high = new Map(terms);
      for (const { term, position } of acknowledged) high.set(term, Math.max(position, high.get(term) ?? 0));
      await storage.commit([
        ...acknowledged.flatMap((receipt) => [
          { key: keyOf("owed", receipt.hash), value: null },
          { key: keyOf("refused", receipt.hash), value: null },
          { key: keyOf("receipt", receipt.hash), value: encodeFrame(receipt) },
        ]),
        {
          key: "outbox/terms",
          value: encodeFrame([...high].map(([term, position]) => ({ term, position }))),
        },
        ...also,
      ]);
      for (const receipt of acknowledged) {
        receipts.set(receipt.hash, receipt);
        owed.delete(receipt.hash);
        refused.delete(receipt.hash);
        terms.set(receipt.term, Math.max(receipt.position, terms.get(receipt.term) ?? 0));
      }
      for (const listener of receiptListeners) listener(acknowledged);
      changed();
    },
    oweAgain: async (entries) => {
      await storage.commit(
        entries.flatMap((entry) => [
          { key: keyOf("receipt", entry.hash), value: null },
          { key: keyOf("owed", entry.hash), value: encodeFrame(entry) },
        ]),
      );
      for (const entry of entries) {
        receipts.delete(entry.hash);
        owed.set(entry.hash, entry);
      }
      changed();
    },
    release: (hash) => ({ key: keyOf("receipt", hash), value: null }),
    released: (hash) => {
      receipts.delete(hash);
    },
    refuse: async (hash, code) => {
      if (refused.get(hash) === code) return;
      await storage.commit([{ key: keyOf("refused", hash), value: encodeFrame({ hash, code }) }]);
      refused.set(hash, code);
      changed();
    },
    writeOff: async (hash) => {
      if (!owed.has(hash)) return;
      await storage.commit([
        { key: keyOf("owed", hash), value: null },
        { key: keyOf("refused", hash), value: null },
      ]);
      owed.delete(hash);
      refused.delete(hash);
      changed();
    },
    sending: (hashes, are) => {
      for (const hash of hashes) {
        if (are) onTheWay.add(hash);
        else onTheWay.delete(hash);
      }
      changed();
    },
    isSending: (hash) => onTheWay.has(hash),
    queue: () => {
      let orders = 0;
      let oldestAt: string | null = null;
      for (const { order, at } of owed.values()) {
        if (order) orders += 1;
        if (oldestAt === null || at < oldestAt) oldestAt = at;
      }
      return { events: owed.size, orders, oldestAt };
    },
    onReceipts: (listener) => {
      receiptListeners.add(listener);
      return () => receiptListeners.delete(listener);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
