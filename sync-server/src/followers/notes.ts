import type { DatabaseSync } from "node:sqlite";
import type { TrailNote } from "../trail/trail.ts";
import { notAdmission } from "../trail/reader.ts";

/**
 * Trail rows on their way from the followers to the relay's writer. They leave with the transaction that made them, and
 * each key is written once: after a kill or a rebuild the trail itself says what is there already.
 */
export interface NoteQueue {
  add(key: string, row: TrailNote): void;
  /** At most `count` rows that the trail does not hold yet, oldest first. */
  next(count: number): readonly { readonly number: number; readonly row: TrailNote }[];
  /** The rows up to this number are durable in the trail. */
  written(number: number): void;
}

/** `note` in a row's detail is its key. */
export function createNoteQueue(db: DatabaseSync, relay: DatabaseSync): NoteQueue {
  const insert = db.prepare("insert or ignore into outgoing_note (key, row) values (?, ?)");
  const oldest = db.prepare("select number, key, row from outgoing_note order by number limit ?");
  const drop = db.prepare("delete from outgoing_note where number <= ?");
  const dropOne = db.prepare("delete from outgoing_note where number = ?");
  // Two statements, because an `is ?` could use neither index and would read the whole trail for each row.
  const about = relay.prepare(
    `select 1 from trail where item = ? and ${notAdmission} and topic = ? and json_extract(detail, '$.note') = ? limit 1`,
  );
  const aboutNothing = relay.prepare(
    "select 1 from trail where item is null and topic = ? and json_extract(detail, '$.note') = ? limit 1",
  );
  const isWritten = ({ item, topic }: TrailNote, key: string): boolean =>
    (item === null ? aboutNothing.get(topic, key) : about.get(item, topic, key)) !== undefined;
  /** Rows up to this number may have been handed over, also by a process that was killed. */
  let handedOver = Number(db.prepare("select max(number) as number from outgoing_note").get()?.["number"] ?? 0);
  return {
    add: (key, row) => {
      const note: TrailNote = { ...row, detail: { ...row.detail, note: key } };
      if (!isWritten(row, key)) insert.run(key, JSON.stringify(note));
    },
    next: (count) => {
      const rows = oldest.all(count) as unknown as { number: number; key: string; row: string }[];
      const before = handedOver;
      handedOver = Math.max(handedOver, rows.at(-1)?.number ?? 0);
      return rows.flatMap(({ number, key, row }) => {
        const note = JSON.parse(row) as TrailNote;
        // Whether the trail holds it was asked when it was added; since then only what was handed over can have come there.
        if (number > before || !isWritten(note, key)) return [{ number, row: note }];
        dropOne.run(number);
        return [];
      });
    },
    written: (number) => {
      drop.run(number);
      // Numbers are given again once the queue was empty.
      if (number >= handedOver) handedOver = 0;
    },
  };
}
