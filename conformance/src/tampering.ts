import { createHash } from "node:crypto";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

// What a failing disk or a hostile hand does to this project's data folder while its relay is stopped.

/** Cuts the end off a document's newest stored change, and off its snapshot if it has one. */
export function tearDocument(dir: string, doc: string): void {
  withDatabase(dir, (db) => {
    const cut = "set bytes = substr(bytes, 1, length(bytes) - 5) where doc = ?";
    const newest = "position = (select max(position) from change where doc = ?)";
    const torn = db.prepare(`update change ${cut} and ${newest}`).run(doc, doc).changes;
    db.prepare(`update snapshot ${cut}`).run(doc);
    if (torn !== 1) throw new Error(`document ${doc} has no change to tear`);
  });
}

/** Puts a next pack in place whose bytes nobody signed: those of the newest with one of them changed. */
export function forgePack(dir: string): number {
  return withDatabase(dir, (db) => {
    const newest = db.prepare("select * from pack order by number desc limit 1").get();
    if (newest === undefined) throw new Error("there is no pack to forge");
    const bytes = Uint8Array.from(newest["bytes"] as Uint8Array);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    const number = Number(newest["number"]) + 1;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const row = [number, sha256, newest["signature"], sha256, newest["issued"], bytes] as (
      | string
      | number
      | Uint8Array
    )[];
    db.prepare(
      "insert into pack (number, sha256, signature, content_hash, issued, bytes) values (?, ?, ?, ?, ?, ?)",
    ).run(...row);
    return number;
  });
}

function withDatabase<T>(dir: string, act: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path.join(dir, "relay.sqlite"));
  try {
    return act(db);
  } finally {
    db.close();
  }
}
