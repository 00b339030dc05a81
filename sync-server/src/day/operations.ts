import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import { dayCertificateSchema, isSettled, type DayCertificate } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";
import { appendLeaf, currentTerm } from "../order-log/leaves.ts";
import { certificateText, stateDay } from "./certificate.ts";
import { readDay } from "./day-facts.ts";

export const tables = `
create table if not exists day_certificate (
  rep text not null,
  day text not null,
  number integer not null,
  position integer not null unique,
  standing text not null,
  -- What could still change it: 'events', 'photos' or 'nothing'.
  waits text not null,
  primary key (rep, day, number)
) strict, without rowid;
`;

/** A certificate's name: the offline id of its leaf, so that `log prove` finds it. */
export const certificateName = (rep: string, day: string, number: number): string => `${rep}/${day}/${number}`;

export const operations = {
  /** Files closes under the days that the relay counts them to. */
  fileCloses: (tx: Transaction, input: { filed: readonly { position: number; day: string }[] }): void => {
    const file = tx.sql("update day_close set filed = ? where position = ? and filed is null");
    for (const { position, day } of input.filed) file.run(day, position);
  },

  /**
   * Appends a signed day certificate as a leaf, where what it says is so at its very place in the log: the facts are read
   * again inside the transaction. `stale`: something came in between; state the day anew.
   */
  certifyDay: (tx: Transaction, input: { text: string; signature: Uint8Array }): { position: number } | "stale" => {
    const { text, signature } = input;
    const certificate = dayCertificateSchema.parse(JSON.parse(text));
    const { rep, day, zone, number, standing, reason, events, photos } = certificate;
    const newest = tx
      .sql("select coalesce(max(number), 0) as number from day_certificate where rep = ? and day = ?")
      .get(rep, day) as { number: number };
    const term = currentTerm(tx);
    if (number !== newest.number + 1 || certificate.term !== term) return "stale";
    const facts = readDay((words) => tx.sql(words), { rep, day, zone });
    if (facts.expired || certificateText(certificate, stateDay(day, facts)) !== text) return "stale";
    const bytes = utf8ToBytes(text);
    const id = certificateName(rep, day, number);
    const position = appendLeaf(tx, term, {
      type: "certificate",
      device: "",
      run: "",
      seq: number,
      hash: sha256Hex(bytes),
      prev: null,
      id,
      flags: [],
      bytes,
      signature,
    });
    tx.sql("insert into day_certificate (rep, day, number, position, standing, waits) values (?, ?, ?, ?, ?, ?)").run(
      rep,
      day,
      number,
      position,
      standing,
      waitsFor(certificate),
    );
    const detail = { rep, day, number, standing, reason, position, ...events, photosOwed: photos.owed };
    tx.note({ topic: "day.certified", device: null, item: id, detail });
    return { position };
  },
};

function waitsFor(certificate: DayCertificate): "events" | "photos" | "nothing" {
  const { standing } = certificate;
  if (standing === "incomplete" || standing === "complete-except") return "events";
  return isSettled(certificate) ? "nothing" : "photos";
}
