import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import type { Transaction } from "../database/transaction.ts";
import { appendLeaf, currentTerm } from "../order-log/leaves.ts";
import { expiryDecisionSchema } from "./decision.ts";
import { FORGOTTEN, remainsOf } from "./remains.ts";

export const tables = `
-- Events whose bytes were removed, and the position of the decision. "remains" is what is still told of it, null: nothing.
create table if not exists expired (
  position integer primary key,
  decision integer not null,
  remains blob
) strict;
-- Photos whose files were removed, or are to be.
create table if not exists expired_photo (
  blob text primary key,
  photo text not null,
  decision integer not null,
  removed integer not null
) strict, without rowid;
create index if not exists expired_photo_photo on expired_photo (photo);
create index if not exists expired_photo_open on expired_photo (blob) where removed = 0;
`;

export interface ExpireInput {
  /** JSON of the decision, and the workspace's signature over it. */
  readonly text: string;
  readonly signature: Uint8Array;
}

export interface Expired {
  /** Position of the decision's leaf. */
  readonly decision: number;
  readonly events: number;
  /** Files that can be removed now. */
  readonly blobs: readonly string[];
}

export const operations = {
  /**
   * Writes a decision into the log and removes the bytes that it names, in one transaction: no bytes go without a leaf
   * that says so. Of a forgotten person also what has no place in the log, claims, attempts and the name.
   */
  expire: (tx: Transaction, input: ExpireInput): Expired => {
    const decision = expiryDecisionSchema.parse(JSON.parse(input.text));
    const bytes = utf8ToBytes(input.text);
    const position = appendLeaf(tx, currentTerm(tx), {
      type: "expiry",
      device: "",
      run: "",
      seq: 0,
      hash: sha256Hex(bytes),
      prev: null,
      id: null,
      flags: [],
      bytes,
      signature: input.signature,
    });
    const isPerson = "person" in decision.about;
    const events = decision.events.filter((event) => expireEvent(tx, event, position, isPerson)).length;
    const blobs = decision.photos.flatMap((photo) => expirePhoto(tx, photo, position));
    if ("person" in decision.about) forgetRows(tx, decision.about.person);
    const { reason, by, about } = decision;
    const detail = { decision: position, events, photos: decision.photos.length, reason, by, ...about };
    tx.note({ topic: "expired", device: null, item: null, detail });
    return { decision: position, events, blobs };
  },

  /** The files of expired photos are gone. */
  expiredFilesRemoved: (tx: Transaction, input: { blobs: readonly string[] }): void => {
    for (const blob of input.blobs) tx.sql("update expired_photo set removed = 1 where blob = ?").run(blob);
  },
};

function expireEvent(tx: Transaction, position: number, decision: number, keepsOrders: boolean): boolean {
  const row = tx.sql("select bytes from log where position = ? and type = 'event'").get(position) as
    | { bytes: Uint8Array }
    | undefined;
  if (row === undefined || row.bytes.length === 0) return false;
  const remains = keepsOrders ? remainsOf(row.bytes) : null;
  tx.sql("update log set bytes = x'' where position = ?").run(position);
  tx.sql("insert into expired (position, decision, remains) values (?, ?, ?)").run(position, decision, remains);
  return true;
}

// The row stays, so that the phone is not asked for the photo again; only its files go.
function expirePhoto(tx: Transaction, photo: string, decision: number): string[] {
  const blobs = tx.sql("select blob from photo where photo = ?").all(photo) as { blob: string }[];
  const insert = tx.sql("insert or ignore into expired_photo (blob, photo, decision, removed) values (?, ?, ?, 0)");
  for (const { blob } of blobs) insert.run(blob, photo, decision);
  return blobs.map(({ blob }) => blob);
}

/** Everything about a person beside log, photos and trail. The devices' keys stay: without them no signature can be checked. */
function forgetRows(tx: Transaction, person: string): void {
  const devices = tx.sql("select device from device where person = ?").all(person) as { device: string }[];
  for (const { device } of devices) {
    for (const table of ["held", "quarantine", "expected", "repeat", "contact", "phone_attempt"] as const)
      tx.sql(`delete from ${table} where device = ?`).run(device);
  }
  tx.sql("delete from enrolment where person = ?").run(person);
  for (const table of ["photo_fact", "photo_upload"] as const)
    tx.sql(`delete from ${table} where person = ?`).run(person);
  tx.sql("update device set platform = '' where person = ?").run(person);
  tx.sql("update person set name = ?, territories = '[]' where code = ?").run(FORGOTTEN, person);
}
