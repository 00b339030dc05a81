import { dayIn, msFromUtc } from "@sampai/engine/core";
import { eventKinds, kindByName, orderTotalSen, type Envelope, type OrderLine } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import { captureMs } from "../followers/capture-time.ts";
import type { Follower, LogItem } from "../followers/follower.ts";
import { prepared } from "../followers/prepared.ts";

const tables = `
create table if not exists today_order (
  id text primary key,
  hash text not null,
  position integer not null,
  rep text not null,
  day text not null,
  store text,
  total_sen integer not null
) strict, without rowid;
create index if not exists today_order_day on today_order (day, rep);
create table if not exists today_change (
  id text primary key,
  order_id text not null,
  hash text not null,
  position integer not null,
  at_ms integer not null,
  total_sen integer
) strict, without rowid;
create index if not exists today_change_order on today_change (order_id);
create table if not exists today_visit (
  id text primary key,
  rep text not null,
  day text not null,
  store text
) strict, without rowid;
create index if not exists today_visit_day on today_visit (day, rep);
create table if not exists today_check_out (
  visit text primary key,
  outcome text not null
) strict, without rowid;
create table if not exists today_unreadable (
  position integer primary key,
  rep text not null,
  day text not null
) strict;
`;

const { orderPlaced, orderAmended, orderCancelled, checkIn, checkOut } = eventKinds;

/** How the board's figures are kept. */
export const figures: Pick<Follower, "prepare" | "reset" | "step"> = {
  prepare: (db) => db.exec(tables),
  reset: (db) =>
    db.exec(
      `drop table if exists today_order; drop table if exists today_change; drop table if exists today_visit; drop table if exists today_check_out;
       drop table if exists today_unreadable`,
    ),
  step: (db, page, { masters, zone, changed }) => {
    for (const item of page) {
      if (item.stream !== "log" || item.type !== "event") continue;
      const rep = masters.personOf(item.device) ?? item.event?.rep ?? "";
      const fits = item.event !== null && kindByName(item.event.kind)?.body.safeParse(item.event.body).success === true;
      if (item.event !== null && fits) {
        count(db, item, item.event, rep, zone);
        continue;
      }
      const ms = item.event === null ? msFromUtc(item.received) : captureMs(item.event, item.received);
      prepared(db, "insert into today_unreadable (position, rep, day) values (?, ?, ?)").run(
        item.position,
        rep,
        dayIn(ms, zone),
      );
    }
    changed("board:today");
  },
};

/** An offline id counts once, whoever uses it again: the first one in the log is the one. */
function count(db: DatabaseSync, item: LogItem, event: Envelope, rep: string, zone: string): void {
  const ms = captureMs(event, item.received);
  const day = dayIn(ms, zone);
  const { id, store } = event;
  switch (event.kind) {
    case orderPlaced.name: {
      const total = orderTotalSen((event.body as { lines: readonly OrderLine[] }).lines);
      prepared(
        db,
        "insert or ignore into today_order (id, hash, position, rep, day, store, total_sen) values (?, ?, ?, ?, ?, ?, ?)",
      ).run(id, item.hash, item.position, rep, day, store, total);
      return;
    }
    case orderAmended.name: {
      const body = event.body as { order: string; lines: readonly OrderLine[] };
      change(db, id, body.order, item, ms, orderTotalSen(body.lines));
      return;
    }
    case orderCancelled.name:
      change(db, id, (event.body as { order: string }).order, item, ms, null);
      return;
    case checkIn.name:
      prepared(db, "insert or ignore into today_visit (id, rep, day, store) values (?, ?, ?, ?)").run(
        event.visit ?? id,
        rep,
        day,
        store,
      );
      return;
    case checkOut.name:
      if (event.visit === null) return;
      prepared(db, "insert or ignore into today_check_out (visit, outcome) values (?, ?)").run(
        event.visit,
        (event.body as { outcome: string }).outcome,
      );
  }
}

/** A change may come before the order it names: both are kept, and set against each other when read. */
function change(
  db: DatabaseSync,
  id: string,
  order: string,
  { hash, position }: LogItem,
  ms: number,
  totalSen: number | null,
): void {
  prepared(
    db,
    "insert or ignore into today_change (id, order_id, hash, position, at_ms, total_sen) values (?, ?, ?, ?, ?, ?)",
  ).run(id, order, hash, position, ms, totalSen);
}

export interface RepFigures {
  visits: number;
  /** Visits by outcome; `open` has no check-out yet. */
  outcomes: Readonly<Record<string, number>>;
  readonly stores: Set<string>;
  /** Orders that stand and that nothing holds. */
  orders: number;
  valueSen: number;
  /** Orders that a rule or a detector holds: beside the figures, never in them. */
  heldOrders: number;
  heldValueSen: number;
  amended: number;
  cancelled: number;
  /** Events of this day that nobody can read here. They are kept, and counted nowhere else. */
  unreadable: number;
}

export const noFigures = (): RepFigures => ({
  visits: 0,
  outcomes: {},
  stores: new Set(),
  orders: 0,
  valueSen: 0,
  heldOrders: 0,
  heldValueSen: 0,
  amended: 0,
  cancelled: 0,
  unreadable: 0,
});

/** Figures of one day by person. */
export function readFigures(db: DatabaseSync, day: string): ReadonlyMap<string, RepFigures> {
  const reps = new Map<string, RepFigures>();
  const of = (rep: string) => {
    const figures = reps.get(rep) ?? noFigures();
    reps.set(rep, figures);
    return figures;
  };
  const changes = prepared(
    db,
    "select hash, position, total_sen from today_change where order_id = ? order by at_ms, id",
  );
  const held = prepared(
    db,
    `select 1 from verdict where position = ?1 and consequence = 'hold-order'
     union all select 1 from finding where hash = ?2 and withdrawn_at is null and consequence = 'hold-order' limit 1`,
  );
  const isHeld = (leaf: { readonly position: number; readonly hash: string }) =>
    held.get(leaf.position, leaf.hash) !== undefined;
  const orders = prepared(db, "select id, hash, position, rep, total_sen from today_order where day = ?").all(
    day,
  ) as unknown as {
    id: string;
    hash: string;
    position: number;
    rep: string;
    total_sen: number;
  }[];
  for (const order of orders) {
    const figures = of(order.rep);
    const made = changes.all(order.id) as unknown as {
      hash: string;
      position: number;
      total_sen: number | null;
    }[];
    // A cancellation is final, whatever the phones' clocks say of an amendment.
    if (made.some(({ total_sen: total }) => total === null)) {
      figures.cancelled += 1;
      continue;
    }
    const last = made.at(-1);
    if (last !== undefined) figures.amended += 1;
    const valueSen = last?.total_sen ?? order.total_sen;
    if (!isHeld(last ?? order) && !isHeld(order)) {
      figures.orders += 1;
      figures.valueSen += valueSen;
    } else {
      figures.heldOrders += 1;
      figures.heldValueSen += valueSen;
    }
  }
  const visits = prepared(
    db,
    "select rep, store, outcome from today_visit left join today_check_out on visit = id where day = ?",
  ).all(day) as unknown as { rep: string; store: string | null; outcome: string | null }[];
  for (const { rep, store, outcome } of visits) {
    const figures = of(rep);
    figures.visits += 1;
    if (store !== null) figures.stores.add(store);
    const name = outcome ?? "open";
    figures.outcomes = { ...figures.outcomes, [name]: (figures.outcomes[name] ?? 0) + 1 };
  }
  const unreadable = prepared(db, "select rep, count(*) as count from today_unreadable where day = ? group by rep").all(
    day,
  ) as unknown as { rep: string; count: number }[];
  for (const { rep, count } of unreadable) of(rep).unreadable = count;
  return reps;
}
