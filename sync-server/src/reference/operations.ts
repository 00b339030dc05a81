import type { Transaction } from "../database/transaction.ts";
import { operations as devices, type Person } from "../devices/operations.ts";

export const tables = `
create table if not exists pack (
  number integer primary key,
  sha256 text not null,
  signature text not null,
  content_hash text not null,
  issued text not null,
  bytes blob not null
) strict;
`;

/** A signed pack as the relay keeps it: for ever, because events pin it. Only a decision takes a forgotten person out of it. */
export interface PackRow {
  readonly number: number;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string;
  /** The root key's signature, hexadecimal. */
  readonly signature: string;
  /** SHA-256 of what the pack says apart from number and date. */
  readonly contentHash: string;
  /** RFC 3339 UTC. */
  readonly issued: string;
  readonly bytes: Uint8Array;
}

export const operations = {
  /**
   * Issues a pack and puts its people in place, together or not at all. `after` is the number that was in force when the
   * pack was made; answers false, and writes nothing, where another one has been issued since.
   */
  issuePack: (
    tx: Transaction,
    input: {
      readonly pack: PackRow;
      readonly after: number | null;
      readonly people: readonly Person[];
      /** What the import did, for the trail. */
      readonly detail: Readonly<Record<string, unknown>>;
    },
  ): boolean => {
    const { pack, after, people, detail } = input;
    const current = tx.sql("select max(number) as number from pack").get() as { number: number | null };
    if (current.number !== after) return false;
    tx.sql("insert into pack (number, sha256, signature, content_hash, issued, bytes) values (?, ?, ?, ?, ?, ?)").run(
      pack.number,
      pack.sha256,
      pack.signature,
      pack.contentHash,
      pack.issued,
      pack.bytes,
    );
    devices.putPeople(tx, { people });
    tx.note({
      topic: "import",
      device: null,
      item: `pack/${pack.number}`,
      detail: { ...detail, sha256: pack.sha256, people: people.length },
    });
    return true;
  },
};
