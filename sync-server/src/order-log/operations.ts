import type { Claim } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import type { Transaction } from "../database/transaction.ts";
import { appendBatch, declareHole, rejudgeQuarantine } from "./append-batch.ts";
import { storeAttempts } from "./attempts.ts";
import { takeTips, type Standing } from "./claim.ts";
import { weigh, type Evidence } from "./evidence.ts";
import { currentTerm, headOf } from "./leaves.ts";
import type { AppendAnswer, VerifiedBatch, VerifiedHole } from "./log.ts";
import { openLog } from "./open-log.ts";
import { sqliteTransaction } from "./sqlite-transaction.ts";
import { lostRanges, termSpans, type TermSpan } from "./terms.ts";

export { tables } from "./tables.ts";

export interface ClaimInput {
  readonly device: string;
  readonly claim: Claim;
  /** What in the claim was verified as promised by this relay; `nonce` is for the id of a term, should one have to begin. */
  readonly proven?: { readonly evidence: readonly Evidence[]; readonly nonce: string };
}

export interface ClaimAnswer extends Standing {
  readonly term: string;
  readonly head: number;
  readonly terms: readonly TermSpan[];
  /** A new term began with this claim. */
  readonly raised: boolean;
  readonly backup: { readonly term: string; readonly position: number } | null;
}

export const operations = {
  openLog,

  /** Admits a verified batch in one transaction with all that is pending. */
  append: (tx: Transaction, batch: Omit<VerifiedBatch, "workspace">): AppendAnswer =>
    appendBatch(sqliteTransaction(tx), batch),

  /** Records that the device does not hold an event. The signature was verified before. */
  hole: (tx: Transaction, hole: Omit<VerifiedHole, "workspace">): void => declareHole(sqliteTransaction(tx), hole),

  /** Takes what a device declares and answers what the relay knows of it. */
  claim: (tx: Transaction, input: ClaimInput): ClaimAnswer => {
    const { device, claim, proven } = input;
    const raised = (proven?.evidence ?? []).filter(
      (one, index) => weigh(tx, one, nonceOf(proven?.nonce ?? "", index), "claim") !== null,
    );
    storeVoided(tx, device, claim);
    // Behind the evidence: what is said of the log is said in the term that it may have raised.
    const log = sqliteTransaction(tx);
    const standing = takeTips(log.device(device), claim.tips);
    tx.sql(
      `insert into contact (device, at, claim) values (?, ?, ?)
         on conflict (device) do update set at = excluded.at, claim = excluded.claim`,
    ).run(device, tx.now, JSON.stringify({ ...claim, attempts: [], evidence: undefined, voided: undefined }));
    storeAttempts(tx, device, claim);
    const { queue, damaged, app, at } = claim;
    const detail = { queue, damaged, attempts: claim.attempts.length, app, at };
    tx.note({ topic: "device.contact", device, item: null, detail });
    return {
      ...standing,
      term: log.term,
      head: log.head(),
      terms: termSpans(tx),
      raised: raised.length > 0,
      backup: verifiedBackup(tx),
    };
  },

  /** Notes that everything before a position is in a backup that was checked. Answers false where the log is shorter. */
  verifyBackup: (tx: Transaction, input: { position: number; by: string }): boolean => {
    const { position, by } = input;
    if (position > headOf(tx)) return false;
    const term = currentTerm(tx);
    tx.sql("insert into verified_backup (term, position, at) values (?, ?, ?)").run(term, position, tx.now);
    tx.note({ topic: "backup.verified", device: null, item: null, detail: { term, position, by } });
    return true;
  },

  /** Takes a revocation back and places what came meanwhile. Answers false where the device is not revoked. */
  unrevoke: (tx: Transaction, input: { device: string; by: string }): boolean => {
    const { device, by } = input;
    const done = tx.sql("update device set revoked = null where device = ? and revoked is not null").run(device);
    const before = tx.sql("delete from revoked_before where device = ?").run(device);
    if (done.changes === 0 && before.changes === 0) return false;
    tx.note({ topic: "device.revoked", device, item: null, detail: { by, undone: true } });
    rejudgeQuarantine(sqliteTransaction(tx));
    return true;
  },
};

/** Terms raised by one claim need different names. */
const nonceOf = (nonce: string, index: number) =>
  index === 0 ? nonce : createHash("sha256").update(`${nonce} ${index}`).digest("hex").slice(0, 16);

/** Newest first: a mark can be taken back to an earlier position. */
function verifiedBackup(tx: Transaction): ClaimAnswer["backup"] {
  const row = tx.sql("select term, position from verified_backup order by rowid desc limit 1").get() as
    | { term: string; position: number }
    | undefined;
  return row === undefined ? null : { term: row.term, position: row.position };
}

/** Keeps what a device holds receipts for at lost positions. */
function storeVoided(tx: Transaction, device: string, claim: Claim): void {
  if (claim.voided === undefined) return;
  const lost = new Map(lostRanges(tx).map((range) => [range.term, range]));
  const insert = tx.sql("insert or ignore into voided (term, position, hash, device) values (?, ?, ?, ?)");
  for (const { term, events } of claim.voided) {
    const range = lost.get(term);
    if (range === undefined) continue;
    for (const [position, hash] of events) {
      if (position >= range.from && position < range.until) insert.run(term, position, hash, device);
    }
  }
}
