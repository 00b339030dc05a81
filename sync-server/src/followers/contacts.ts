import { msFromUtc } from "@sampai/engine/core";
import { z } from "zod";
import type { Follower } from "./follower.ts";
import { prepared } from "./prepared.ts";

const tables = `
create table if not exists contact_seen (
  device text not null,
  position integer primary key,
  at text not null,
  log_head integer not null,
  events integer not null,
  orders integer not null,
  photos integer not null,
  oldest_at text,
  damaged integer not null,
  ahead_ms integer,
  app text
) strict;
create index if not exists contact_seen_device on contact_seen (device, position);
create table if not exists photo_here (
  id text primary key,
  at text not null
) strict, without rowid;
create table if not exists refusal_seen (
  position integer primary key,
  at text not null,
  device text,
  code text not null,
  item text
) strict;
create table if not exists snooze (
  alert text primary key,
  until text not null,
  by text not null
) strict, without rowid;
`;

/** Contacts kept per device: enough to see a queue grow over days. */
const KEPT = 200;
const REFUSALS_KEPT = 5_000;

const contactDetail = z.object({
  queue: z.object({
    events: z.number(),
    orders: z.number(),
    photos: z.number(),
    oldestAt: z.string().nullable(),
  }),
  damaged: z.number(),
  app: z.string().nullable().catch(null),
  at: z.string().nullable().catch(null),
});
const refusalDetail = z.object({ code: z.string() });
const snoozeDetail = z.object({ action: z.literal("snoozed"), until: z.string(), by: z.string() });

/** What the trail tells of phones: when each was heard and what it said it owed, photos that came, refusals, snoozes. */
export const contacts: Follower = {
  name: "contacts",
  version: 1,
  stream: "trail",
  prepare: (db) => db.exec(tables),
  reset: (db) =>
    db.exec(
      "drop table if exists contact_seen; drop table if exists photo_here; drop table if exists refusal_seen; drop table if exists snooze",
    ),
  step: (db, page, context) => {
    for (const row of page) {
      if (row.stream !== "trail") continue;
      const { position, at, device, item, detail } = row;
      if (row.topic === "device.contact" && device !== null) {
        const contact = contactDetail.safeParse(detail);
        if (!contact.success) continue;
        const { queue, damaged, app, at: phoneAt } = contact.data;
        const aheadMs = phoneAt === null ? null : msFromUtc(phoneAt) - msFromUtc(at);
        prepared(
          db,
          `insert into contact_seen (device, position, at, log_head, events, orders, photos, oldest_at, damaged, ahead_ms, app)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ).run(
          device,
          position,
          at,
          row.logHead,
          queue.events,
          queue.orders,
          queue.photos,
          queue.oldestAt,
          damaged,
          aheadMs === null || Number.isNaN(aheadMs) ? null : Math.round(aheadMs),
          app,
        );
        prepared(
          db,
          `delete from contact_seen where device = ?1 and position <= (
             select position from contact_seen where device = ?1 order by position desc limit 1 offset ${KEPT})`,
        ).run(device);
        context.changed("board:today");
        context.changed("fleet");
      } else if (row.topic === "photo.arrived" && item !== null && detail["part"] !== "preview") {
        prepared(db, "insert or ignore into photo_here (id, at) values (?, ?)").run(item, at);
        context.changed("board:today");
      } else if (["refusal", "document.refused", "photo.refused"].includes(row.topic)) {
        const refusal = refusalDetail.safeParse(detail);
        prepared(db, "insert into refusal_seen (position, at, device, code, item) values (?, ?, ?, ?, ?)").run(
          position,
          at,
          device,
          refusal.success ? refusal.data.code : row.topic,
          item,
        );
        prepared(db, "delete from refusal_seen where position <= ?").run(position - REFUSALS_KEPT);
      } else if (row.topic === "alert" && item !== null) {
        const snooze = snoozeDetail.safeParse(detail);
        if (!snooze.success) continue;
        const { until, by } = snooze.data;
        prepared(db, "insert or replace into snooze (alert, until, by) values (?, ?, ?)").run(item, until, by);
        context.changed("alerts");
      } else if (row.topic === "device.enrolled" || row.topic === "device.revoked") {
        context.changed("fleet");
      }
    }
  },
};
