import type { Claim } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";
import { closeInvitations } from "../devices/operations.ts";
import { appendBatch, declareHole, rejudgeQuarantine } from "./append-batch.ts";
import { storeAttempts } from "./attempts.ts";
import { takeClaim, type LogClaim, type LogClaimAnswer } from "./claim.ts";
import { currentTerm, headOf } from "./leaves.ts";
import type { AppendAnswer, VerifiedBatch, VerifiedHole } from "./log.ts";
import { openLog } from "./open-log.ts";
import { sqliteTransaction } from "./sqlite-transaction.ts";

export { tables } from "./tables.ts";

export interface ClaimInput {
  readonly device: string;
  readonly claim: Claim;
  /** As in `LogClaim`; absent where the claim proves nothing. */
  readonly proven?: Pick<LogClaim, "evidence" | "nonce">;
}

export interface ClaimAnswer extends LogClaimAnswer {
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
    const { tips, voided } = claim;
    const log = sqliteTransaction(tx);
    const answer = takeClaim(log, {
      device,
      tips,
      ...(voided === undefined ? {} : { voided }),
      ...(proven ?? { evidence: [], nonce: "" }),
    });
    if (answer.raised) closeInvitations(tx);
    tx.sql(
      `insert into contact (device, at, claim) values (?, ?, ?)
         on conflict (device) do update set at = excluded.at, claim = excluded.claim`,
    ).run(device, tx.now, JSON.stringify({ ...claim, attempts: [], evidence: undefined, voided: undefined }));
    storeAttempts(tx, device, claim);
    const { queue, damaged, app, at } = claim;
    const detail = { queue, damaged, attempts: claim.attempts.length, app, at };
    tx.note({ topic: "device.contact", device, item: null, detail });
    return { ...answer, backup: verifiedBackup(tx) };
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

/** Newest first: a mark can be taken back to an earlier position. */
function verifiedBackup(tx: Transaction): ClaimAnswer["backup"] {
  const row = tx.sql("select term, position from verified_backup order by rowid desc limit 1").get() as
    | { term: string; position: number }
    | undefined;
  return row === undefined ? null : { term: row.term, position: row.position };
}
