import * as A from "@automerge/automerge/slim";
import {
  decide,
  readingRules,
  viewOf,
  type DocumentKind,
  type Pack,
  type ReadingRules,
  type Replica,
} from "@sampai/engine";
import { LRUCache } from "lru-cache";
import type { DatabaseSync } from "node:sqlite";
import { changedKeys } from "../documents/change-header.ts";
import type { DocumentItem, Follower, StreamItem } from "./follower.ts";
import type { PlannedStop, StoreRecord } from "./masters.ts";
import { prepared } from "./prepared.ts";

const tables = `
create table if not exists store_record (
  code text not null,
  position integer not null,
  received text not null,
  record text not null,
  primary key (code, position)
) strict, without rowid;
create table if not exists plan_stop (
  plan text not null,
  day text not null,
  rep text not null,
  store text not null,
  primary key (plan)
) strict, without rowid;
create index if not exists plan_stop_day on plan_stop (day);
create table if not exists plan_document (
  doc text not null,
  plan text not null,
  primary key (doc, plan)
) strict, without rowid;
`;

/** The fields of a store that its record has: a change of others leaves the record as it is. */
const RECORDED = ["name", "lat", "lon", "uncertaintyMeters", "status", "territory"] as const;
/** A new document's first changes stand close together; after them few are read. */
const REPLICAS = 32;

/** A document as the relay's stored changes before `position` make it: to be read by its backend and its heads only. */
export function loadReplica(relay: DatabaseSync, doc: string, position: number): Replica {
  const replica = A.init<Record<string, unknown>>();
  takeChanges(relay, replica, doc, 0, position);
  return replica;
}

function takeChanges(relay: DatabaseSync, replica: Replica, doc: string, from: number, before: number): void {
  const rows = prepared(
    relay,
    "select bytes from change where doc = ? and position >= ? and position < ? order by position",
  ).all(doc, from, before) as { bytes: Uint8Array }[];
  A.getBackend(replica).applyChanges(rows.map(({ bytes }) => bytes));
}

/**
 * Where stores are said to be and which stops are planned, read from the stream of document changes, so that a fact is
 * judged by the record that the relay held when the fact came, and a rebuild finds the same. A change that writes none of
 * a record's fields costs no document.
 */
export function createMasterRecords(relay: DatabaseSync, newestPack: () => Pack | null): Follower {
  const replicas = new LRUCache<string, { readonly replica: Replica; next: number }>({
    max: REPLICAS,
    dispose: ({ replica }) => A.free(replica),
  });
  /** The document with its changes before `next`. */
  const replicaBefore = (doc: string, next: number): Replica => {
    const known = replicas.get(doc);
    if (known === undefined || known.next > next) {
      const replica = loadReplica(relay, doc, next);
      replicas.set(doc, { replica, next });
      return replica;
    }
    takeChanges(relay, known.replica, doc, known.next, next);
    known.next = next;
    return known.replica;
  };
  /** Answers how many plans changed. Only a plan's latest state counts: it is not read after each of the page's changes. */
  const takePage = (db: DatabaseSync, page: readonly StreamItem[], rules: ReadingRules): number => {
    const plans = new Map<string, DocumentItem>();
    for (const item of page) {
      if (item.stream !== "documents") continue;
      const { kind, key } = identityOf(relay, item.doc);
      if (kind === "plan") plans.set(item.doc, item);
      if (kind !== "store" || !isRecorded(item)) continue;
      const replica = replicaBefore(item.doc, item.position + 1);
      if (isBorn(replica)) putStore(db, item, key, replica, rules);
    }
    for (const { doc, position } of plans.values()) {
      const replica = replicaBefore(doc, position + 1);
      if (isBorn(replica)) putPlan(db, doc, identityOf(relay, doc).key, replica, rules);
    }
    return plans.size;
  };
  return {
    name: "master-records",
    version: 1,
    stream: "documents",
    prepare: (db) => db.exec(tables),
    reset: (db) => {
      replicas.clear();
      db.exec("drop table if exists store_record; drop table if exists plan_stop; drop table if exists plan_document");
    },
    step: (db, page, context) => {
      try {
        const rules = readingRules(newestPack());
        const plans = takePage(db, page, rules);
        if (plans > 0) context.changed("board:today");
      } catch (error) {
        // What threw may have left a replica half way.
        replicas.clear();
        throw error;
      }
    },
  };
}

/** Which document it is: the gate let none in under an id that is not of this kind and key. */
function identityOf(relay: DatabaseSync, doc: string): { readonly kind: string; readonly key: string } {
  const row = prepared(relay, "select kind, key from document where doc = ?").get(doc);
  return row as { kind: string; key: string };
}

function isRecorded({ bytes }: DocumentItem): boolean {
  const keys = changedKeys(bytes);
  return keys.has("key") || RECORDED.some((field) => keys.has(field));
}

/** Before its kind and key are written in it, a document says nothing. */
function isBorn(replica: Replica): boolean {
  return A.getBackend(replica).get("_root", "key") != null;
}

function putStore(db: DatabaseSync, item: DocumentItem, code: string, replica: Replica, rules: ReadingRules): void {
  const record = JSON.stringify(storeRecord(code, replica, rules));
  const last = prepared(db, "select record from store_record where code = ? order by position desc limit 1").get(
    code,
  ) as { record: string } | undefined;
  if (last?.record === record) return;
  prepared(db, "insert into store_record (code, position, received, record) values (?, ?, ?, ?)").run(
    code,
    item.position,
    item.received,
    record,
  );
}

function storeRecord(code: string, replica: Replica, rules: ReadingRules): StoreRecord {
  const read = (field: (typeof RECORDED)[number]) => fieldOf(replica, "store", field, rules);
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    code,
    name: text(read("name")) ?? code,
    lat: number(read("lat")),
    lon: number(read("lon")),
    uncertaintyMeters: number(read("uncertaintyMeters")) ?? 0,
    status: text(read("status")),
    territory: text(read("territory")),
  };
}

/** One field after the conflict rules, without reading the others. */
export function fieldOf(replica: Replica, kind: DocumentKind, field: string, rules: ReadingRules): unknown {
  const decision = decide(replica, kind, field, null, rules);
  return decision === null || decision === "merged" ? null : decision.winner.value;
}

/** Rows of a plan are `day/number`; the stop is named `rep/week/day/number`. */
function putPlan(db: DatabaseSync, doc: string, key: string, replica: Replica, rules: ReadingRules): void {
  const { value } = viewOf(replica, "plan", rules);
  const rep = typeof value["rep"] === "string" ? value["rep"] : (key.split("/")[0] ?? "");
  const stores = value["stopStore"] as Readonly<Record<string, unknown>>;
  const statuses = value["stopStatus"] as Readonly<Record<string, unknown>>;
  db.prepare("delete from plan_stop where plan in (select plan from plan_document where doc = ?)").run(doc);
  db.prepare("delete from plan_document where doc = ?").run(doc);
  for (const [row, store] of Object.entries(stores)) {
    const day = row.split("/")[0] ?? "";
    if (typeof store !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day) || statuses[row] === "skipped") continue;
    const stop: PlannedStop = { rep, store, plan: `${key}/${row}` };
    db.prepare("insert or replace into plan_stop (plan, day, rep, store) values (?, ?, ?, ?)").run(
      stop.plan,
      day,
      rep,
      store,
    );
    db.prepare("insert or ignore into plan_document (doc, plan) values (?, ?)").run(doc, stop.plan);
  }
}
