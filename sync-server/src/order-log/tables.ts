import { termTables } from "./sqlite-terms.ts";

/** The order log and what waits to get into it. */
export const tables = `${termTables}
-- Whose log this is: one row, from its first opening on.
create table if not exists log_workspace (
  id text not null
) strict;
create table if not exists log (
  position integer primary key,
  term text not null,
  type text not null,
  device text not null,
  run text not null,
  seq integer not null,
  hash text not null,
  prev text,
  id text,
  received text not null,
  flags text not null,
  bytes blob not null,
  signature blob
) strict;
create unique index if not exists log_hash on log (device, hash) where type = 'event';
create index if not exists log_seq on log (device, run, seq);
create index if not exists log_start on log (position) where type = 'start';
create index if not exists log_id on log (id) where id is not null;
-- Placed events that no placed event of their device follows: kept as it goes, so that a claim reads no history.
create table if not exists tip (
  device text not null,
  hash text not null,
  run text not null,
  seq integer not null,
  primary key (device, hash)
) strict, without rowid;
create table if not exists held (
  device text not null,
  hash text not null,
  want text not null,
  run text not null,
  seq integer not null,
  bytes blob not null,
  signature blob,
  received text not null,
  primary key (device, hash)
) strict;
create index if not exists held_want on held (device, want);
-- How often an event was answered the same way without getting a place.
create table if not exists repeat (
  device text not null,
  hash text not null,
  answer text not null,
  times integer not null,
  primary key (device, hash, answer)
) strict, without rowid;
create table if not exists hole (
  device text not null,
  hash text not null,
  run text not null,
  seq integer not null,
  filled text,
  primary key (device, hash)
) strict;
-- Holes that a placed event follows. What follows a placed event needs no list: it is a tip, or it is followed.
create table if not exists followed_hole (
  device text not null,
  hash text not null,
  primary key (device, hash)
) strict, without rowid;
-- A log from when that was asked of an index over "prev", which cost each order a page.
insert or ignore into followed_hole select hole.device, hole.hash from hole
  where exists (select 1 from sqlite_master where name = 'log_prev')
    and exists (select 1 from log where log.device = hole.device and log.prev = hole.hash and log.type = 'event');
drop index if exists log_prev;
create table if not exists expected (
  device text not null,
  hash text not null,
  run text not null,
  seq integer not null,
  primary key (device, hash)
) strict;
create table if not exists quarantine (
  device text not null,
  hash text not null,
  prev text,
  code text not null,
  run text not null,
  seq integer not null,
  bytes blob not null,
  signature blob,
  received text not null,
  primary key (device, hash)
) strict;
-- Every placed close of a day, so that days are found without reading the log. "day" is what the phone named; "filed" the
-- day that the relay files it under, null until it has looked.
create table if not exists day_close (
  position integer primary key,
  device text not null,
  run text not null,
  seq integer not null,
  hash text not null,
  at text not null,
  day text not null,
  events integer not null,
  photos integer not null,
  filed text
) strict;
create index if not exists day_close_hash on day_close (hash);
create index if not exists day_close_device on day_close (device, filed);
create index if not exists day_close_new on day_close (position) where filed is null;
`;
