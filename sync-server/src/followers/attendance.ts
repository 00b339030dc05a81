import { dayIn, utcFromMs } from "@sampai/engine/core";
import { eventKinds } from "@sampai/engine";
import { captureMs } from "./capture-time.ts";
import type { Follower } from "./follower.ts";
import { prepared } from "./prepared.ts";

const tables = `
create table if not exists leave (
  id text primary key,
  rep text not null,
  from_day text not null,
  to_day text not null
) strict, without rowid;
create table if not exists attendance (
  id text primary key,
  rep text not null,
  day text not null,
  at text not null,
  started integer not null
) strict, without rowid;
create index if not exists attendance_rep on attendance (rep, day);
`;

const { leaveTaken, attendanceStarted, attendanceEnded } = eventKinds;

/** Who is at work: days begun and ended, and leave. Silence is judged against it. */
export const attendance: Follower = {
  name: "attendance",
  version: 1,
  stream: "log",
  prepare: (db) => db.exec(tables),
  reset: (db) => db.exec("drop table if exists leave; drop table if exists attendance"),
  step: (db, page, { masters, zone, changed }) => {
    for (const item of page) {
      if (item.stream !== "log" || item.event === null) continue;
      const { event } = item;
      const rep = masters.personOf(item.device) ?? event.rep;
      if (event.kind === leaveTaken.name) {
        const body = leaveTaken.body.safeParse(event.body);
        if (!body.success) continue;
        prepared(db, "insert or ignore into leave (id, rep, from_day, to_day) values (?, ?, ?, ?)").run(
          event.id,
          rep,
          body.data.from,
          body.data.to,
        );
        changed("board:today");
      } else if (event.kind === attendanceStarted.name || event.kind === attendanceEnded.name) {
        const ms = captureMs(event, item.received);
        prepared(db, "insert or ignore into attendance (id, rep, day, at, started) values (?, ?, ?, ?, ?)").run(
          event.id,
          rep,
          dayIn(ms, zone),
          utcFromMs(ms),
          event.kind === attendanceStarted.name ? 1 : 0,
        );
      }
    }
  },
};
