import type { Claim, Tip } from "@sampai/engine/wire";
import { limits } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import type { Transaction } from "../database/transaction.ts";
import { admit, admitHole, type AdmissionAnswer, type PlacedCandidate } from "./admit.ts";
import { storeAttempts } from "./attempts.ts";
import { giveBack, type GivenBack } from "./give-back.ts";
import { appendLeaf, currentTerm, headOf } from "./leaves.ts";
import { weigh, type Evidence } from "./evidence.ts";
import { rejudgeQuarantine } from "./quarantine.ts";
import { expectTips, openHolesOf, tipsOf, wantsOf } from "./standing.ts";
import { createAdmissionState, type DeviceState } from "./state.ts";
import { lostRanges, noteBeginning, noteKnownSize, termSpans, type TermSpan } from "./terms.ts";
import type { Head } from "../database/head-file.ts";
import { restoreRevocations } from "../devices/operations.ts";

export { tables } from "./tables.ts";

/** A batch whose signature and chain were verified before it came here. */
export interface AppendInput {
  readonly device: string;
  readonly events: readonly PlacedCandidate[];
  /** Which transport brought it. */
  readonly via: "websocket" | "http" | "rescue";
  /** Bytes of the frame. */
  readonly frameBytes: number;
}

/** `refused`: so many events wait behind a gap that no more are taken until what is wanted comes. */
export type AppendAnswer =
  | { readonly term: string; readonly answers: readonly (AdmissionAnswer & { readonly term?: string })[] }
  | { readonly refused: "relay.busy" };

export interface ClaimInput {
  readonly device: string;
  readonly claim: Claim;
  /** What in the claim was verified as promised by this relay; `nonce` is for the id of a term, should one have to begin. */
  readonly proven?: { readonly evidence: readonly Evidence[]; readonly nonce: string };
}

export interface ClaimAnswer {
  readonly term: string;
  readonly tips: readonly Tip[];
  readonly wants: readonly string[];
  readonly holes: readonly string[];
  readonly give: readonly GivenBack[];
  readonly head: number;
  readonly terms: readonly TermSpan[];
  /** A new term began with this claim. */
  readonly raised: boolean;
  readonly backup: { readonly term: string; readonly position: number } | null;
}

export const operations = {
  /**
   * Opens the log and answers its term, which the very first opening makes; a head that knows more than the log begins a
   * new one. The start of a relay leaves a leaf with its nonce, so that two lives of one relay never look the same, and
   * judges the quarantine again.
   */
  openLog: (tx: Transaction, input: { nonce: string; relayStarts: boolean; head?: Head | null }): string => {
    tx.sql("insert into term (number, id, started) select 1, ?, ? where not exists (select 1 from term)").run(
      `1:${input.nonce}`,
      tx.now,
    );
    if (input.head !== undefined && input.head !== null) mergeHead(tx, input.head, input.nonce);
    const term = currentTerm(tx);
    if (!input.relayStarts) return term;
    const hash = createHash("sha256").update(`sampai.start.v1\n${term}\n${input.nonce}`).digest("hex");
    const place = { device: "", run: input.nonce, seq: 0, hash, prev: null, id: null };
    appendLeaf(tx, term, { type: "start", ...place, flags: [], bytes: new Uint8Array() });
    tx.note({ topic: "relay.started", device: null, item: null, detail: { term, nonce: input.nonce } });
    rejudgeQuarantine(tx, term);
    return term;
  },

  /** Admits a verified batch, event by event, in one transaction with all that is pending. */
  append: (tx: Transaction, input: AppendInput): AppendAnswer => {
    const { device, events, via } = input;
    const term = currentTerm(tx);
    const revoked = isRevoked(tx, device);
    const hashes = new Set(events.map(({ hash }) => hash));
    const state = createAdmissionState(tx, device, term, { via, hashes });
    if (!revoked && wouldHoldTooMany(state, events)) return { refused: "relay.busy" };
    const answers = events.map((event) => admit(state, event, revoked));
    for (const [index, answer] of answers.entries()) {
      noteUnplaced(tx, input, state, events[index] as PlacedCandidate, answer);
    }
    return { term, answers: answers.map((answer) => withOwnTerm(tx, term, answer)) };
  },

  /** Records that the device does not hold an event. The signature was verified before. */
  hole: (tx: Transaction, input: { device: string; run: string; seq: number; hash: string }): void => {
    const { device, run, seq, hash } = input;
    if (isRevoked(tx, device)) return;
    const state = createAdmissionState(tx, device, currentTerm(tx), { via: "hole", hashes: new Set() });
    const before = headOf(tx);
    admitHole(state, { run, seq, hash });
    if (headOf(tx) === before) return;
    tx.note({ topic: "admission", device, item: hash, detail: { answer: "hole", position: before, run, seq } });
  },

  /** Takes what a device declares and answers what the relay knows of it. */
  claim: (tx: Transaction, input: ClaimInput): ClaimAnswer => {
    const { device, claim, proven } = input;
    const raised = (proven?.evidence ?? []).filter(
      (one, index) => weigh(tx, one, nonceOf(proven?.nonce ?? "", index), "claim") !== null,
    );
    storeVoided(tx, device, claim);
    expectTips(tx, device, claim.tips);
    tx.sql(
      `insert into contact (device, at, claim) values (?, ?, ?)
         on conflict (device) do update set at = excluded.at, claim = excluded.claim`,
    ).run(device, tx.now, JSON.stringify({ ...claim, attempts: [], evidence: undefined, voided: undefined }));
    storeAttempts(tx, device, claim);
    const { queue, damaged, app, at } = claim;
    const detail = { queue, damaged, attempts: claim.attempts.length, app, at };
    tx.note({ topic: "device.contact", device, item: null, detail });
    return {
      term: currentTerm(tx),
      tips: tipsOf(tx, device),
      wants: wantsOf(tx, device),
      holes: openHolesOf(tx, device),
      give: giveBack(tx, device, claim.tips),
      head: headOf(tx),
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
    rejudgeQuarantine(tx, currentTerm(tx));
    return true;
  },
};

/** What the head file knows that this log does not: then the data folder is an older copy. */
function mergeHead(tx: Transaction, head: Head, nonce: string): void {
  for (const [term, size] of head.known) noteKnownSize(tx, term, size);
  for (const [term, position] of head.began) noteBeginning(tx, term, position);
  restoreRevocations(tx, head.revoked);
  const { term, start, log: size } = head;
  const behind =
    head.trail > next(tx, "trail") || head.documents > next(tx, "change")
      ? { start: "lost", size: head.log }
      : { start, size };
  if (size > 0) weigh(tx, { kind: "promise", term, ...behind }, nonce, "head");
}

function next(tx: Transaction, table: "trail" | "change"): number {
  return (tx.sql(`select coalesce(max(position) + 1, 0) as head from ${table}`).get() as { head: number }).head;
}

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

/** A duplicate's place is in the term of its leaf, whatever term it is now: only so the receipt outlives a restore. */
function withOwnTerm(tx: Transaction, current: string, answer: AdmissionAnswer): AdmissionAnswer & { term?: string } {
  if (answer.answer !== "duplicate") return answer;
  const { term } = tx.sql("select term from log where position = ?").get(answer.position) as { term: string };
  return term === current ? answer : { ...answer, term };
}

function isRevoked(tx: Transaction, device: string): boolean {
  const row = tx.sql("select revoked from device where device = ?").get(device) as
    | { revoked: string | null }
    | undefined;
  return row === undefined || row.revoked !== null;
}

// The events of a batch are one chain, so its first event decides whether all of them would wait.
function wouldHoldTooMany(state: DeviceState, events: readonly PlacedCandidate[]): boolean {
  if (state.heldCount() + events.length <= limits.heldEvents) return false;
  const first = events[0] as PlacedCandidate;
  const last = events.at(-1) as PlacedCandidate;
  if (first.prev === null || state.positionOf(first.prev) !== undefined || state.isHole(first.prev)) return false;
  return state.positionOf(first.hash) === undefined && !state.isHeld(last.hash);
}

/**
 * A trail row under the offline id for an event that got no place now; placed ones have theirs. The same answer again
 * is counted, and noted the 1st, 2nd, 4th, 8th … time, so that a phone that never stops sending cannot fill the disk.
 */
function noteUnplaced(
  tx: Transaction,
  input: AppendInput,
  state: DeviceState,
  event: PlacedCandidate,
  answer: AdmissionAnswer,
): void {
  if (answer.answer === "placed" || answer.answer === "branch") return;
  const { id, kind } = state.contentOf(event);
  const { hash, ...rest } = answer;
  const { run, seq } = event;
  const { times } = tx
    .sql(
      `insert into repeat (device, hash, answer, times) values (?, ?, ?, 1)
         on conflict (device, hash, answer) do update set times = times + 1 returning times`,
    )
    .get(input.device, hash, answer.answer) as { times: number };
  if (!Number.isInteger(Math.log2(times))) return;
  tx.note({
    topic: answer.answer === "quarantined" ? "refusal" : "admission",
    device: input.device,
    item: id ?? hash,
    detail: { ...rest, times, run, seq, via: input.via, ...(kind === null ? {} : { kind }) },
  });
}
