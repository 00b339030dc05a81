import type { Transaction } from "../database/transaction.ts";
import type { Content } from "./content.ts";

/** Keeps a placed close of a day where the days' certificates are made from. */
export function noteClose(
  tx: Transaction,
  placed: {
    readonly device: string;
    readonly run: string;
    readonly seq: number;
    readonly hash: string;
    readonly position: number;
    readonly close: NonNullable<Content["close"]>;
  },
): void {
  const { device, run, seq, hash, position, close } = placed;
  const { at, day, events, photos } = close;
  tx.sql(
    `insert into day_close (position, device, run, seq, hash, at, day, events, photos, filed)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)`,
  ).run(position, device, run, seq, hash, at, day, events, photos);
}
