import * as A from "@automerge/automerge/slim";
import {
  decide,
  hasGenesis,
  isDocumentKind,
  readingRules,
  viewOf,
  type DocumentKind,
  type Pack,
  type ReadingRules,
  type Replica,
} from "@sampai/engine";
import { LRUCache } from "lru-cache";
import type { DatabaseSync } from "node:sqlite";
import type { DocumentItem, Follower } from "./follower.ts";
import type { PlannedStop, StoreRecord } from "./masters.ts";

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

const REPLICAS = 200;

/** Which document it is, by what the document itself says; null before its genesis is here. */
export function identify(replica: Replica): { readonly kind: DocumentKind; readonly key: string } | null {
  const kind = textOf(replica["kind"]);
  const key = textOf(replica["key"]);
  return isDocumentKind(kind) && hasGenesis(replica, kind) && key !== "" ? { kind, key } : null;
}

function textOf(value: unknown): string {
  if (A.isImmutableString(value)) return value.val;
  return typeof value === "string" ? value : "";
}

/** A document as the relay's stored changes before `position` make it. */
export function loadReplica(relay: DatabaseSync, doc: string, position: number): Replica {
  const rows = relay
    .prepare("select bytes from change where doc = ? and position < ? order by position")
    .all(doc, position) as { bytes: Uint8Array }[];
  return A.applyChanges(
    A.init<Record<string, unknown>>(),
    rows.map(({ bytes }) => new Uint8Array(bytes)),
  )[0];
}

/**
 * Where stores are said to be and which stops are planned, read from the stream of document changes, so that a fact is
 * judged by the record that the relay held when the fact came, and a rebuild finds the same.
 */
export function createMasterRecords(relay: DatabaseSync, newestPack: () => Pack | null): Follower {
  const replicas = new LRUCache<string, { replica: Replica; position: number }>({
    max: REPLICAS,
    dispose: ({ replica }) => A.free(replica),
  });
  const advance = (item: DocumentItem): Replica => {
    const known = replicas.get(item.doc);
    const before =
      known !== undefined && known.position < item.position
        ? known.replica
        : loadReplica(relay, item.doc, item.position);
    const replica = A.applyChanges(before, [new Uint8Array(item.bytes)])[0];
    replicas.set(item.doc, { replica, position: item.position }, { noDisposeOnSet: true });
    return replica;
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
      const rules = readingRules(newestPack());
      try {
        const plans = new Map<string, Replica>();
        for (const item of page) {
          if (item.stream !== "documents") continue;
          const replica = advance(item);
          const identity = identify(replica);
          if (identity?.kind === "store") putStore(db, item, identity.key, replica, rules);
          // Only the plan's latest state counts: no need to read it after each of the page's changes.
          if (identity?.kind === "plan") plans.set(item.doc, replica);
        }
        for (const [doc, replica] of plans) putPlan(db, doc, replica, rules);
        if (plans.size > 0) context.changed("board:today");
      } catch (error) {
        // A replica may be ahead of what was rolled back.
        replicas.clear();
        throw error;
      }
    },
  };
}

function putStore(db: DatabaseSync, item: DocumentItem, code: string, replica: Replica, rules: ReadingRules): void {
  const record = JSON.stringify(storeRecord(code, replica, rules));
  const last = db.prepare("select record from store_record where code = ? order by position desc limit 1").get(code) as
    | { record: string }
    | undefined;
  if (last?.record === record) return;
  db.prepare("insert into store_record (code, position, received, record) values (?, ?, ?, ?)").run(
    code,
    item.position,
    item.received,
    record,
  );
}

function storeRecord(code: string, replica: Replica, rules: ReadingRules): StoreRecord {
  const read = (field: string) => fieldOf(replica, "store", field, rules);
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
function putPlan(db: DatabaseSync, doc: string, replica: Replica, rules: ReadingRules): void {
  const { value } = viewOf(replica, "plan", rules);
  const identity = identify(replica);
  const rep = typeof value["rep"] === "string" ? value["rep"] : (identity?.key.split("/")[0] ?? "");
  const stores = value["stopStore"] as Readonly<Record<string, unknown>>;
  const statuses = value["stopStatus"] as Readonly<Record<string, unknown>>;
  db.prepare("delete from plan_stop where plan in (select plan from plan_document where doc = ?)").run(doc);
  db.prepare("delete from plan_document where doc = ?").run(doc);
  for (const [row, store] of Object.entries(stores)) {
    const day = row.split("/")[0] ?? "";
    if (typeof store !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day) || statuses[row] === "skipped") continue;
    const stop: PlannedStop = { rep, store, plan: `${identity?.key ?? rep}/${row}` };
    db.prepare("insert or replace into plan_stop (plan, day, rep, store) values (?, ?, ?, ?)").run(
      stop.plan,
      day,
      rep,
      store,
    );
    db.prepare("insert or ignore into plan_document (doc, plan) values (?, ?)").run(doc, stop.plan);
  }
}
