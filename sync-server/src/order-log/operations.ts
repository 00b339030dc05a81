import { kindByName, readEvent } from "@sampai/engine";
import type { Claim, Tip } from "@sampai/engine/wire";
import type { Transaction } from "../database/operations.ts";
import { admit, admitHole, type AdmissionAnswer, type PlacedCandidate } from "./admit.ts";
import type { LeafFlag } from "./log.ts";
import { createAdmissionState, expectTips } from "./state.ts";

export const tables = `
create table if not exists log (
  position integer primary key,
  term text not null,
  type text not null,
  device text not null,
  run text not null,
  seq integer not null,
  hash text not null,
  prev text,
  id text,
  received text not null,
  flags text not null,
  bytes blob not null
) strict;
create unique index if not exists log_hash on log (device, hash) where type = 'event';
create index if not exists log_seq on log (device, run, seq);
create index if not exists log_prev on log (device, prev) where type = 'event';
create index if not exists log_id on log (id) where id is not null;
create table if not exists held (
  device text not null,
  hash text not null,
  want text not null,
  run text not null,
  seq integer not null,
  bytes blob not null,
  received text not null,
  primary key (device, hash)
) strict;
create index if not exists held_want on held (device, want);
create table if not exists hole (
  device text not null,
  hash text not null,
  run text not null,
  seq integer not null,
  filled text,
  primary key (device, hash)
) strict;
create table if not exists expected (
  device text not null,
  hash text not null,
  run text not null,
  seq integer not null,
  primary key (device, hash)
) strict;
create table if not exists quarantine (
  device text not null,
  hash text not null,
  code text not null,
  run text not null,
  seq integer not null,
  bytes blob not null,
  received text not null,
  primary key (device, hash)
) strict;
create table if not exists term (
  number integer primary key,
  id text not null unique,
  started text not null
) strict;
`;

/** A batch whose signature and chain were verified before it came here. */
export interface AppendInput {
  readonly device: string;
  readonly events: readonly PlacedCandidate[];
  /** `websocket` or `http`: which transport brought it. */
  readonly via: string;
  /** Bytes of the frame. */
  readonly frameBytes: number;
}

export interface AppendAnswer {
  readonly term: string;
  readonly answers: readonly AdmissionAnswer[];
  readonly wants: readonly string[];
}

export interface ClaimInput {
  readonly device: string;
  readonly claim: Claim;
}

export interface ClaimAnswer {
  readonly term: string;
  readonly tips: readonly Tip[];
  readonly wants: readonly string[];
  readonly holes: readonly string[];
  readonly give: readonly {
    readonly run: string;
    readonly seq: number;
    readonly prev: string | null;
    readonly bytes: Uint8Array;
    readonly position: number | null;
  }[];
  readonly head: number;
}

export const operations = {
  /** Opens the log: the first start of a relay makes its term. Answers the term's id. */
  openLog: (tx: Transaction, input: { nonce: string }): string => {
    tx.sql("insert or ignore into term (number, id, started) values (1, ?, ?)").run(`1:${input.nonce}`, tx.now);
    const term = currentTerm(tx);
    tx.note({ topic: "relay.started", device: null, item: null, detail: { term } });
    return term;
  },

  /** Admits a verified batch, event by event, in one transaction with all that is pending. */
  append: (tx: Transaction, input: AppendInput): AppendAnswer => {
    const term = currentTerm(tx);
    const revoked = isRevoked(tx, input.device);
    const state = createAdmissionState(tx, input.device, term, contentOf);
    const answers = input.events.map((event) => admit(state, event, revoked));
    const first = input.events[0];
    const last = input.events.at(-1);
    tx.note({
      topic: "admission",
      device: input.device,
      item: null,
      detail: {
        via: input.via,
        run: first?.run,
        from: first?.seq,
        to: last?.seq,
        bytes: input.frameBytes,
        answers: tally(answers),
      },
    });
    for (const [index, answer] of answers.entries()) noteAnswer(tx, input, index, answer);
    return { term, answers, wants: state.wants() };
  },

  /** Records that the device does not hold an event. The signature was verified before. */
  hole: (tx: Transaction, input: { device: string; run: string; seq: number; hash: string }): void => {
    if (isRevoked(tx, input.device)) return;
    const state = createAdmissionState(tx, input.device, currentTerm(tx), contentOf);
    admitHole(state, input);
    tx.note({ topic: "admission", device: input.device, item: input.hash, detail: { answer: "hole", ...input } });
  },

  /** Takes what a device declares and answers what the relay knows of it. */
  claim: (tx: Transaction, input: ClaimInput): ClaimAnswer => {
    const { device, claim } = input;
    const term = currentTerm(tx);
    const state = createAdmissionState(tx, device, term, contentOf);
    expectTips(tx, device, claim.tips);
    tx.sql(
      `insert into contact (device, at, claim) values (?, ?, ?)
         on conflict (device) do update set at = excluded.at, claim = excluded.claim`,
    ).run(device, tx.now, JSON.stringify({ ...claim, attempts: [] }));
    storeAttempts(tx, device, claim);
    tx.note({
      topic: "device.contact",
      device,
      item: null,
      detail: {
        queue: claim.queue,
        damaged: claim.damaged,
        attempts: claim.attempts.length,
        app: claim.app,
        at: claim.at,
      },
    });
    return {
      term,
      tips: state.tips(),
      wants: state.wants(),
      holes: state.openHoles(),
      give: state.notCoveredBy(claim.tips),
      head: (tx.sql("select coalesce(max(position) + 1, 0) as head from log").get() as { head: number }).head,
    };
  },
};

function currentTerm(tx: Transaction): string {
  const row = tx.sql("select id from term order by number desc limit 1").get() as { id: string } | undefined;
  if (row === undefined) throw new Error("the log was not opened");
  return row.id;
}

function isRevoked(tx: Transaction, device: string): boolean {
  const row = tx.sql("select revoked from device where device = ?").get(device) as
    | { revoked: string | null }
    | undefined;
  return row === undefined || row.revoked !== null;
}

/** What the log notes of an event's content: flags for the judge and the offline id. Never a reason to refuse. */
function contentOf(bytes: Uint8Array): { id: string | null; flags: readonly LeafFlag[] } {
  const read = readEvent(bytes);
  if (!read.ok) return { id: null, flags: [read.error.code === "opaque" ? "opaque" : "schema"] };
  const kind = kindByName(read.value.kind);
  const fits = kind?.body.safeParse(read.value.body).success ?? false;
  return { id: read.value.id, flags: fits ? [] : ["schema"] };
}

function tally(answers: readonly AdmissionAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

/** One trail row per event under its offline id, so that anyone can ask where an order is. */
function noteAnswer(tx: Transaction, input: AppendInput, index: number, answer: AdmissionAnswer): void {
  const event = input.events[index] as PlacedCandidate;
  const read = readEvent(event.bytes);
  const { hash, ...rest } = answer;
  tx.note({
    topic: answer.answer === "quarantined" ? "refusal" : "admission",
    device: input.device,
    item: read.ok ? read.value.id : hash,
    detail: { ...rest, run: event.run, seq: event.seq, via: input.via, ...(read.ok ? { kind: read.value.kind } : {}) },
  });
}

function storeAttempts(tx: Transaction, device: string, claim: Claim): void {
  const insert = tx.sql(
    `insert or ignore into phone_attempt
       (device, number, at, lane, run, from_seq, to_seq, item, bytes, outcome, code, took_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const attempt of claim.attempts) {
    const { number, at, lane, run, from, to, item, bytes, outcome, code, tookMs } = attempt;
    insert.run(
      device,
      number,
      at,
      lane,
      run ?? null,
      from ?? null,
      to ?? null,
      item ?? null,
      bytes,
      outcome,
      code ?? null,
      tookMs,
    );
  }
}
