import type { Transaction } from "../database/transaction.ts";
import type { TrailNote } from "../trail/trail.ts";

export const tables = `
create table if not exists document (
  doc text primary key,
  kind text not null,
  key text not null,
  territory text,
  owner text,
  waits_for text,
  heads text not null,
  last integer not null,
  moved text,
  tombstone text
) strict;
create table if not exists change (
  position integer primary key,
  doc text not null,
  hash text not null,
  actor text not null,
  seq integer not null,
  start_op integer not null,
  max_op integer not null,
  deps text not null,
  device text not null,
  by text not null,
  role text not null,
  vouched integer not null,
  at text not null,
  received text not null,
  bytes blob not null,
  unique (doc, hash),
  unique (doc, actor, seq)
) strict;
create index if not exists change_of_document on change (doc, position);
create table if not exists snapshot (
  doc text primary key,
  through integer not null,
  heads text not null,
  bytes blob not null,
  made text not null
) strict;
create table if not exists bundle (
  bundle integer primary key autoincrement,
  documents text not null,
  length integer not null,
  deflated blob not null,
  sha256 text not null
) strict;
create table if not exists device_scope (
  device text primary key,
  version integer not null,
  territories text not null,
  changed text
) strict;
create table if not exists device_document (
  device text not null,
  doc text not null,
  since integer not null,
  gone integer,
  gone_at text,
  primary key (device, doc)
) strict, without rowid;
create table if not exists imported_value (
  doc text not null,
  field text not null,
  value text not null,
  primary key (doc, field)
) strict, without rowid;
`;

/** Days for which a document that left a device's territory still takes the edits made there before. */
export const LEFT_DAYS = 7;

/** Documents folded together, each as it was through a position. */
export interface MadeBundle {
  readonly documents: readonly (readonly [doc: string, through: number])[];
  /** Bytes that it unfolds to. */
  readonly length: number;
  readonly deflated: Uint8Array;
  /** Hexadecimal, of `deflated`. */
  readonly sha256: string;
}

/** A change that the gate has let through. */
export interface GatedChange {
  readonly hash: string;
  readonly actor: string;
  readonly seq: number;
  readonly startOp: number;
  readonly maxOp: number;
  readonly deps: readonly string[];
  /** Who wrote it, as its message says and the gate has checked; `by` is a person's code. */
  readonly by: string;
  readonly role: string;
  readonly device: string;
  /** True where another device than the author's brought it. */
  readonly vouched: boolean;
  /** RFC 3339 UTC, the author's. */
  readonly at: string;
  readonly bytes: Uint8Array;
}

export interface StoreChangesInput {
  readonly doc: string;
  readonly kind: string;
  readonly key: string;
  /** Device that brought them; null for the relay itself. */
  readonly device: string | null;
  /** New changes in an order in which each stands behind its dependencies. */
  readonly changes: readonly GatedChange[];
  /** Hashes of changes that the gate knew already: answered with the position that they have. */
  readonly known: readonly string[];
  /** The document with all of `changes` in it. */
  readonly heads: readonly string[];
  readonly territory: string | null;
  readonly owner: string | null;
  readonly waitsFor: string | null;
  readonly notes: readonly TrailNote[];
  /** The device that made the document, and so holds it already. */
  readonly heldBy?: string;
  /** Values that the importer wrote, by field or `field/row`, as JSON. */
  readonly imported?: Readonly<Record<string, string>>;
}

export type StoreChangesAnswer =
  | {
      readonly stored: true;
      /** Position of every change of `changes` and `known`, by hash. */
      readonly positions: ReadonlyMap<string, number>;
      /** Those of `changes` that were not there before, in order. */
      readonly fresh: readonly string[];
      /** Next position of the stream of document changes. */
      readonly head: number;
    }
  /** An earlier commit failed, so that these no longer fit what is stored. Nothing was written. */
  | { readonly stored: false };

export const operations = {
  /** Stores gated changes of one document, each (document, hash) once for ever, with the trail row that tells of it. */
  storeChanges: (tx: Transaction, input: StoreChangesInput): StoreChangesAnswer => {
    const { doc } = input;
    const find = tx.sql("select position from change where doc = ? and hash = ?");
    const positionOf = (hash: string) => (find.get(doc, hash) as { position: number } | undefined)?.position;
    const taken = tx.sql("select 1 from change where doc = ? and actor = ? and seq = ?");
    const inBatch = new Set(input.changes.map(({ hash }) => hash));
    const fresh = input.changes.filter(({ hash }) => positionOf(hash) === undefined);
    for (const change of fresh) {
      if (taken.get(doc, change.actor, change.seq) !== undefined) return { stored: false };
      const lacking = change.deps.some((dep) => !inBatch.has(dep) && positionOf(dep) === undefined);
      if (lacking) return { stored: false };
    }
    let head = headOf(tx);
    const insert = tx.sql(
      `insert into change (position, doc, hash, actor, seq, start_op, max_op, deps, device, by, role, vouched, at, received, bytes)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const first = head;
    for (const change of fresh) {
      insert.run(
        head,
        doc,
        change.hash,
        change.actor,
        change.seq,
        change.startOp,
        change.maxOp,
        JSON.stringify(change.deps),
        change.device,
        change.by,
        change.role,
        change.vouched ? 1 : 0,
        change.at,
        tx.now,
        change.bytes,
      );
      head += 1;
    }
    if (fresh.length > 0) {
      putDocument(tx, input, head - 1);
      tx.note({
        topic: "document.stored",
        device: input.device,
        item: doc,
        detail: {
          kind: input.kind,
          key: input.key,
          from: first,
          to: head - 1,
          by: [...new Set(fresh.map(({ by }) => by))],
          ...(fresh.some(({ vouched }) => vouched) ? { vouched: true } : {}),
        },
      });
    }
    for (const note of input.notes) tx.note(note);
    if (input.heldBy !== undefined) holdDocument(tx, input.heldBy, doc);
    noteImported(tx, doc, input.imported ?? {});
    const positions = new Map<string, number>();
    for (const hash of [...inBatch, ...input.known]) {
      const position = positionOf(hash);
      if (position !== undefined) positions.set(hash, position);
    }
    return { stored: true, positions, fresh: fresh.map(({ hash }) => hash), head };
  },

  /** The importer found these values in the document already: it has nothing to write, and remembers them. */
  noteImported: (tx: Transaction, input: { doc: string; imported: Readonly<Record<string, string>> }): void => {
    noteImported(tx, input.doc, input.imported);
  },

  /** Puts a compacted document beside its changes, unless a newer one is there. It was loaded once before it came here. */
  putSnapshot: (
    tx: Transaction,
    input: { doc: string; through: number; heads: readonly string[]; bytes: Uint8Array },
  ): void => {
    tx.sql(
      `insert into snapshot (doc, through, heads, bytes, made) values (?, ?, ?, ?, ?)
         on conflict (doc) do update set through = excluded.through, heads = excluded.heads, bytes = excluded.bytes,
           made = excluded.made where excluded.through > snapshot.through`,
    ).run(input.doc, input.through, JSON.stringify(input.heads), input.bytes, tx.now);
  },

  /** Bundles are made of snapshots and hold nothing that is not stored beside them. Answers the ids of the new ones. */
  replaceBundles: (tx: Transaction, input: { gone: readonly number[]; made: readonly MadeBundle[] }): number[] => {
    for (const bundle of input.gone) tx.sql("delete from bundle where bundle = ?").run(bundle);
    const insert = tx.sql("insert into bundle (documents, length, deflated, sha256) values (?, ?, ?, ?)");
    return input.made.map(({ documents, length, deflated, sha256 }) =>
      Number(insert.run(JSON.stringify(documents), length, deflated, sha256).lastInsertRowid),
    );
  },

  /** A snapshot that cannot be read is no loss: it is made again from the changes. */
  dropSnapshot: (tx: Transaction, input: { doc: string; why: string }): void => {
    tx.sql("delete from snapshot where doc = ?").run(input.doc);
    tx.note({
      topic: "document.refused",
      device: null,
      item: input.doc,
      detail: { snapshot: "dropped", why: input.why },
    });
  },

  /** Records the territories a device connects with, and since when they are others than before. */
  noteTerritories: (tx: Transaction, input: { device: string; territories: readonly string[] }): void => {
    tx.sql(
      `insert into device_scope (device, version, territories, changed) values (?, 0, ?, null)
         on conflict (device) do update set changed = ?, territories = excluded.territories
           where territories <> excluded.territories`,
    ).run(input.device, JSON.stringify([...input.territories].sort()), tx.now);
  },

  /**
   * Writes down what a device is about to be given and told to drop, before it is sent: whatever the phone says later
   * of the version it stands at, the relay knows every document that can be on it.
   */
  planScope: (
    tx: Transaction,
    input: {
      device: string;
      enter: readonly { doc: string; version: number }[];
      leave: readonly string[];
      version: number;
    },
  ): void => {
    tx.sql(
      `insert into device_scope (device, version, territories, changed) values (?, ?, '[]', null)
         on conflict (device) do update set version = max(version, excluded.version)`,
    ).run(input.device, input.version);
    const enter = tx.sql(
      `insert into device_document (device, doc, since, gone, gone_at) values (?, ?, ?, null, null)
         on conflict (device, doc) do update set since = excluded.since, gone = null, gone_at = null`,
    );
    for (const { doc, version } of input.enter) enter.run(input.device, doc, version);
    const leave = tx.sql(
      `update device_document set gone = ?, gone_at = coalesce(gone_at, ?) where device = ? and doc = ?`,
    );
    for (const doc of input.leave) leave.run(input.version, tx.now, input.device, doc);
  },

  /** The device stands at this scope version: what it was told to drop before, it has dropped. */
  ackScope: (tx: Transaction, input: { device: string; version: number }): void => {
    const before = new Date(Date.parse(tx.now) - LEFT_DAYS * 86_400_000).toISOString();
    tx.sql("delete from device_document where device = ? and gone <= ? and gone_at < ?").run(
      input.device,
      input.version,
      before,
    );
  },

  /** The store that a document waited for has a territory now: it lies there too. */
  placeDocument: (tx: Transaction, input: { doc: string; territory: string }): void => {
    tx.sql("update document set territory = ?, waits_for = null where doc = ? and territory is null").run(
      input.territory,
      input.doc,
    );
  },

  /** Buries a document: it leaves every phone, and nothing is stored in it any more. What was stored stays. */
  buryDocument: (tx: Transaction, input: { doc: string; by: string; reason: string }): boolean => {
    const done = tx.sql("update document set tombstone = ? where doc = ? and tombstone is null").run(tx.now, input.doc);
    if (done.changes !== 1) return false;
    tx.note({
      topic: "document.stored",
      device: null,
      item: input.doc,
      detail: { buried: true, by: input.by, reason: input.reason },
    });
    return true;
  },
};

function headOf(tx: Transaction): number {
  const row = tx.sql("select coalesce(max(position) + 1, 0) as head from change").get() as { head: number };
  return row.head;
}

function putDocument(tx: Transaction, input: StoreChangesInput, last: number): void {
  tx.sql(
    `insert into document (doc, kind, key, territory, owner, waits_for, heads, last, moved, tombstone)
       values (?, ?, ?, ?, ?, ?, ?, ?, null, null)
       on conflict (doc) do update set heads = excluded.heads, last = excluded.last,
         moved = case when territory is excluded.territory and owner is excluded.owner then moved else ? end,
         territory = excluded.territory, owner = excluded.owner, waits_for = excluded.waits_for`,
  ).run(
    input.doc,
    input.kind,
    input.key,
    input.territory,
    input.owner,
    input.waitsFor,
    JSON.stringify(input.heads),
    last,
    tx.now,
  );
}

function holdDocument(tx: Transaction, device: string, doc: string): void {
  tx.sql(
    `insert into device_document (device, doc, since, gone, gone_at)
       values (?, ?, coalesce((select version from device_scope where device = ?), 0), null, null)
       on conflict (device, doc) do update set gone = null, gone_at = null`,
  ).run(device, doc, device);
}

function noteImported(tx: Transaction, doc: string, imported: Readonly<Record<string, string>>): void {
  const put = tx.sql("insert or replace into imported_value (doc, field, value) values (?, ?, ?)");
  for (const [field, value] of Object.entries(imported)) put.run(doc, field, value);
}
