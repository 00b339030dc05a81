import type { PhotoPart } from "@sampai/engine";
import { eventKinds, readEvent, type EventBody } from "@sampai/engine/events";
import { limits, type Refusal } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";

export const tables = `
create table if not exists photo (
  photo text not null,
  part text not null,
  device text not null,
  person text not null,
  visit text,
  sha256 text not null,
  bytes integer not null,
  type text not null,
  width integer not null,
  height integer not null,
  blob text not null unique,
  arrived text not null,
  primary key (photo, part)
) strict, without rowid;
create table if not exists photo_upload (
  upload text primary key,
  photo text not null,
  part text not null,
  device text not null,
  person text not null,
  visit text,
  sha256 text not null,
  size integer not null,
  type text not null,
  day text not null,
  created text not null,
  arrived text
) strict, without rowid;
create index if not exists photo_upload_photo on photo_upload (photo, part);
create index if not exists photo_upload_day on photo_upload (device, day);
create table if not exists photo_day (
  device text not null,
  day text not null,
  uploads integer not null,
  primary key (device, day)
) strict, without rowid;
create table if not exists photo_fact (
  photo text primary key,
  device text not null,
  person text not null,
  visit text,
  store text,
  sha256 text not null,
  bytes integer not null,
  purpose text not null,
  at text not null,
  received text not null
) strict, without rowid;
create index if not exists photo_fact_visit on photo_fact (visit);
create index if not exists photo_fact_person on photo_fact (person, photo);
create table if not exists photo_index (
  id integer primary key check (id = 1),
  position integer not null
) strict;
`;

/** An upload as it was begun. `arrived` is null until its bytes were verified and linked. */
export interface UploadRow {
  readonly upload: string;
  readonly photo: string;
  readonly part: PhotoPart;
  readonly device: string;
  readonly person: string;
  readonly visit: string | null;
  readonly sha256: string;
  readonly size: number;
  /** Media type that the event promises; for a preview `image/jpeg`. */
  readonly type: string;
  readonly day: string;
  readonly created: string;
  readonly arrived: string | null;
}

export interface BeginInput {
  readonly upload: string;
  readonly photo: string;
  readonly part: PhotoPart;
  readonly device: string;
  readonly sha256: string;
  readonly size: number;
  /** The workspace's day now. */
  readonly day: string;
  readonly bytesPerDay: number;
  readonly uploadsPerDay: number;
}

/** `replaced`: unfinished uploads of the same part, whose files can go. */
export type BeginAnswer = { readonly begun: true; readonly replaced: readonly string[] } | Refusal;

export interface ArriveInput {
  readonly upload: string;
  readonly blob: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly type: string;
  readonly width: number;
  readonly height: number;
}

/** One photo that an event speaks of. */
export interface PhotoFactRow {
  readonly photo: string;
  readonly device: string;
  readonly person: string;
  readonly visit: string | null;
  readonly store: string | null;
  readonly sha256: string;
  readonly bytes: number;
  readonly purpose: string;
  readonly at: string;
  readonly received: string;
}

export const operations = {
  /** Begins an upload, where this device may: its event is placed, says the same, and the part is not there yet. */
  photoBegin: (tx: Transaction, input: BeginInput): BeginAnswer => {
    const refused = (refusal: Refusal): Refusal => {
      const { photo, part, size } = input;
      const { code, detail } = refusal;
      tx.note({ topic: "photo.refused", device: input.device, item: photo, detail: { part, size, code, detail } });
      return refusal;
    };
    const leaf = tx
      .sql("select device, bytes from log where id = ? and type = 'event' order by position limit 1")
      .get(input.photo) as { device: string; bytes: Uint8Array } | undefined;
    // No row in the trail for these: a phone asks again until its event is placed, and strangers' ids are anyone's.
    if (leaf === undefined) return { code: "photo.unknown" };
    if (leaf.device !== input.device) return refused({ code: "photo.owner" });
    const captured = capturedBody(leaf.bytes);
    if (captured === null) return refused({ code: "photo.unknown", detail: "the event of this id is no photo" });
    if (input.part === "original") {
      if (input.size !== captured.body.bytes)
        return refused({ code: "photo.size", detail: `the event says ${captured.body.bytes} bytes` });
      if (input.sha256 !== captured.body.sha256)
        return refused({ code: "photo.hash", detail: "not the hash that the event says" });
    }
    if (input.size < 1 || (input.part === "preview" && input.size > limits.previewBytes))
      return refused({ code: "photo.size", detail: `a preview has 1 to ${limits.previewBytes} bytes` });
    if (tx.sql("select 1 from photo where photo = ? and part = ?").get(input.photo, input.part) !== undefined)
      return { code: "photo.exists" };

    const { photo, part, device, day } = input;
    const begun = tx
      .sql(
        "insert into photo_day (device, day, uploads) values (?, ?, 1) on conflict do update set uploads = uploads + 1 returning uploads",
      )
      .get(device, day) as { uploads: number };
    const others = tx
      .sql(
        "select coalesce(sum(size), 0) as bytes from photo_upload where device = ? and day = ? and not (photo = ? and part = ?)",
      )
      .get(device, day, photo, part) as { bytes: number };
    if (begun.uploads > input.uploadsPerDay || others.bytes + input.size > input.bytesPerDay)
      return refused({ code: "photo.quota" });

    const replaced = tx
      .sql("delete from photo_upload where photo = ? and part = ? returning upload")
      .all(photo, part) as { upload: string }[];
    const person = personOf(tx, device);
    tx.sql(
      `insert into photo_upload (upload, photo, part, device, person, visit, sha256, size, type, day, created, arrived)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)`,
    ).run(
      input.upload,
      photo,
      part,
      device,
      person,
      captured.visit,
      input.sha256,
      input.size,
      part === "original" ? captured.body.type : "image/jpeg",
      day,
      tx.now,
    );
    return { begun: true, replaced: replaced.map(({ upload }) => upload) };
  },

  /** Links a verified photo to its event, once. Answers false where the upload is no longer known. */
  photoArrived: (tx: Transaction, input: ArriveInput): boolean => {
    const row = tx.sql("select * from photo_upload where upload = ?").get(input.upload) as UploadRow | undefined;
    if (row === undefined) return false;
    if (row.arrived !== null) return true;
    const { photo, part, device, person, visit } = row;
    const { sha256, bytes, type, width, height, blob } = input;
    tx.sql(
      `insert or ignore into photo (photo, part, device, person, visit, sha256, bytes, type, width, height, blob, arrived)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(photo, part, device, person, visit, sha256, bytes, type, width, height, blob, tx.now);
    tx.sql("update photo_upload set arrived = ? where upload = ?").run(tx.now, input.upload);
    tx.note({
      topic: "photo.arrived",
      device,
      item: photo,
      detail: { part, bytes, sha256, type, width, height, begun: row.created },
    });
    return true;
  },

  /** Throws an upload away: refused at its end, given up by its phone, or expired. A linked one stays. */
  photoDropped: (tx: Transaction, input: { upload: string; code: string; detail?: string }): boolean => {
    const row = tx
      .sql("delete from photo_upload where upload = ? and arrived is null returning *")
      .get(input.upload) as UploadRow | undefined;
    if (row === undefined) return false;
    const { photo, part, device, size } = row;
    const { code, detail } = input;
    tx.note({ topic: "photo.refused", device, item: photo, detail: { part, size, code, detail } });
    return true;
  },

  /** Forgets finished uploads that nobody will ask for any more; what they linked stays. */
  photoForget: (tx: Transaction, input: { before: string; dayBefore: string }): void => {
    tx.sql("delete from photo_upload where arrived is not null and arrived < ?").run(input.before);
    tx.sql("delete from photo_day where day < ?").run(input.dayBefore);
  },

  /** Adds a preview that the relay made itself of an original. */
  photoPreviewMade: (
    tx: Transaction,
    input: { photo: string; blob: string; sha256: string; bytes: number; width: number; height: number },
  ): void => {
    tx.sql(
      `insert or ignore into photo (photo, part, device, person, visit, sha256, bytes, type, width, height, blob, arrived)
       select photo, 'preview', device, person, visit, ?2, ?3, 'image/jpeg', ?4, ?5, ?6, ?7
       from photo where photo = ?1 and part = 'original'`,
    ).run(input.photo, input.sha256, input.bytes, input.width, input.height, input.blob, tx.now);
  },

  /** Adds the photos that the order log speaks of up to `position`. */
  photoFacts: (tx: Transaction, input: { position: number; rows: readonly Omit<PhotoFactRow, "person">[] }): void => {
    const insert = tx.sql(
      `insert or ignore into photo_fact (photo, device, person, visit, store, sha256, bytes, purpose, at, received)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const { photo, device, visit, store, sha256, bytes, purpose, at, received } of input.rows)
      insert.run(photo, device, personOf(tx, device), visit, store, sha256, bytes, purpose, at, received);
    tx.sql(
      `insert into photo_index (id, position) values (1, ?1)
       on conflict do update set position = max(position, ?1)`,
    ).run(input.position);
  },
};

/** What an event promises of its photo, or null where it is none. */
export function capturedBody(bytes: Uint8Array): {
  readonly id: string;
  readonly visit: string | null;
  readonly store: string | null;
  readonly at: string;
  readonly body: EventBody<"photoCaptured">;
} | null {
  const read = readEvent(bytes);
  if (!read.ok || read.value.kind !== eventKinds.photoCaptured.name) return null;
  const body = eventKinds.photoCaptured.body.safeParse(read.value.body);
  if (!body.success) return null;
  const { id, visit, store, at } = read.value;
  return { id, visit, store, at, body: body.data };
}

function personOf(tx: Transaction, device: string): string {
  const row = tx.sql("select person from device where device = ?").get(device) as { person: string } | undefined;
  return row?.person ?? "";
}
