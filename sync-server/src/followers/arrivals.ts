import { dayIn, utcFromMs } from "@sampai/engine/core";
import { eventKinds } from "@sampai/engine";
import { captureMs } from "./capture-time.ts";
import type { Follower } from "./follower.ts";

const tables = `
create table if not exists device_event (
  position integer primary key,
  device text not null,
  rep text not null,
  day text not null,
  kind text not null,
  received text not null,
  at text not null
) strict;
create index if not exists device_event_device on device_event (device, position);
create index if not exists device_event_day on device_event (day, rep);
create table if not exists device_photo (
  id text primary key,
  device text not null,
  rep text not null,
  at text not null
) strict, without rowid;
create index if not exists device_photo_device on device_photo (device);
`;

const photoKind = eventKinds.photoCaptured.name;

/** What came from which device: claims are set against it. An unreadable event counts too, by the day it came. */
export const arrivals: Follower = {
  name: "arrivals",
  version: 2,
  stream: "log",
  prepare: (db) => db.exec(tables),
  reset: (db) => db.exec(`drop table if exists device_event; drop table if exists device_photo`),
  step: (db, page, { masters, zone, changed }) => {
    const event = db.prepare(
      "insert into device_event (position, device, rep, day, kind, received, at) values (?, ?, ?, ?, ?, ?, ?)",
    );
    const photo = db.prepare("insert or ignore into device_photo (id, device, rep, at) values (?, ?, ?, ?)");
    for (const item of page) {
      if (item.stream !== "log" || item.type !== "event") continue;
      const rep = masters.personOf(item.device) ?? item.event?.rep ?? "";
      const ms = item.event === null ? Date.parse(item.received) : captureMs(item.event, item.received);
      const kind = item.event?.kind ?? "";
      event.run(item.position, item.device, rep, dayIn(ms, zone), kind, item.received, utcFromMs(ms));
      if (item.event?.kind === photoKind) photo.run(item.event.id, item.device, rep, item.received);
    }
    changed("board:today");
    changed("fleet");
  },
};
