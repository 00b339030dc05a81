import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import type { Transaction } from "../database/transaction.ts";
import { appendLeaf, currentTerm } from "../order-log/leaves.ts";
import type { PackRow } from "../reference/operations.ts";
import { expiryDecisionSchema, type ExpiryDecision } from "../order-log/expiry-decision.ts";
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
-- People who were forgotten, and the position of the first decision about each.
create table if not exists forgotten (
  person text primary key,
  decision integer not null
) strict, without rowid;
-- Packs that a forgotten person was taken out of, and the position of each decision. The decision says which bytes they had.
create table if not exists expired_pack (
  number integer not null,
  decision integer not null,
  primary key (number, decision)
) strict, without rowid;
`;

/** Tables whose rows about a person's devices, or about the person, go when the person is forgotten. */
export const aboutDevices = ["held", "quarantine", "expected", "repeat", "contact", "phone_attempt"] as const;
export const aboutPerson = ["enrolment", "photo_fact", "photo_upload"] as const;

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
    const decision = decisionIn(input);
    const position = appendDecision(tx, input);
    const isPerson = "person" in decision.about;
    const events = decision.events.filter((event) => expireEvent(tx, event, position, isPerson)).length;
    const blobs = decision.photos.flatMap((photo) => expirePhoto(tx, photo, position));
    if ("person" in decision.about) forgetRows(tx, decision.about.person, position);
    const { reason, by, about } = decision;
    const detail = { decision: position, events, photos: decision.photos.length, reason, by, ...about };
    tx.note({ topic: "expired", device: null, item: null, detail });
    return { decision: position, events, blobs };
  },

  /**
   * Writes a decision into the log and puts the packs that it names in their rows' place, together or not at all. Answers
   * the decision's position, or null, and writes nothing, where a pack is not any more what the decision says it was.
   */
  rewritePacks: (tx: Transaction, input: ExpireInput & { readonly packs: readonly PackRow[] }): number | null => {
    const { packs: named = [], reason, by, about } = decisionIn(input);
    const isAsSaid = tx.sql("select 1 from pack where number = ? and sha256 = ?");
    if (named.some(({ number, was }) => isAsSaid.get(number, was) === undefined)) return null;
    const position = appendDecision(tx, input);
    const rewrite = tx.sql("update pack set sha256 = ?, signature = ?, content_hash = ?, bytes = ? where number = ?");
    const list = tx.sql("insert into expired_pack (number, decision) values (?, ?)");
    for (const { number, sha256, signature, contentHash, bytes } of input.packs) {
      rewrite.run(sha256, signature, contentHash, bytes, number);
      list.run(number, position);
    }
    const detail = { decision: position, packs: input.packs.length, reason, by, ...about };
    tx.note({ topic: "expired", device: null, item: null, detail });
    return position;
  },

  /** The files of expired photos are gone. */
  expiredFilesRemoved: (tx: Transaction, input: { blobs: readonly string[] }): void => {
    for (const blob of input.blobs) tx.sql("update expired_photo set removed = 1 where blob = ?").run(blob);
  },
};

const decisionIn = ({ text }: ExpireInput): ExpiryDecision => expiryDecisionSchema.parse(JSON.parse(text));

function appendDecision(tx: Transaction, { text, signature }: ExpireInput): number {
  const bytes = utf8ToBytes(text);
  return appendLeaf(tx, currentTerm(tx), {
    type: "expiry",
    device: "",
    run: "",
    seq: 0,
    hash: sha256Hex(bytes),
    prev: null,
    id: null,
    flags: [],
    bytes,
    signature,
  });
}

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

/** Everything about a person beside log, photos, packs and trail. The devices' keys stay: without them no signature can be checked. */
function forgetRows(tx: Transaction, person: string, decision: number): void {
  tx.sql("insert or ignore into forgotten (person, decision) values (?, ?)").run(person, decision);
  const devices = tx.sql("select device from device where person = ?").all(person) as { device: string }[];
  for (const { device } of devices) {
    for (const table of aboutDevices) tx.sql(`delete from ${table} where device = ?`).run(device);
  }
  for (const table of aboutPerson) tx.sql(`delete from ${table} where person = ?`).run(person);
  tx.sql("update device set platform = '' where person = ?").run(person);
  tx.sql("update person set name = ?, territories = '[]' where code = ?").run(FORGOTTEN, person);
}
