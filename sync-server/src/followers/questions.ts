import type { DatabaseSync } from "node:sqlite";
import { boardByName } from "../boards/index.ts";
import type { BoardSnapshot, BoardWorld } from "../boards/board.ts";
import { findLeaf, tellStory, type Story } from "../trail/story.ts";
import type { Alert } from "./alerts/desk.ts";
import { readFleet, type FleetRow } from "./fleet.ts";
import { judgementSteps, readJudgement, type Judgement } from "./judgement-steps.ts";
import type { FollowerStatus } from "./runner.ts";

/** What the followers' own thread has at hand when it is asked. */
export interface AskedWorld extends BoardWorld {
  readonly alerts: readonly Alert[];
  readonly followers: readonly FollowerStatus[];
}

/** A page of findings or verdicts, newest first. */
export interface PageOf<T> {
  readonly rows: readonly T[];
  /** Ask again with this to go on; null at the end. */
  readonly before: number | null;
}

export interface PageInput {
  readonly before: number | null;
  readonly count: number;
  readonly rep: string | null;
  readonly store: string | null;
  /** Persons who may be shown; null: all. */
  readonly reps: readonly string[] | null;
}

export interface FindingRow {
  readonly position: number;
  readonly event: string;
  readonly detector: string;
  readonly version: number;
  readonly consequence: string;
  readonly sentence: string;
  readonly evidence: unknown;
  readonly rep: string;
  readonly store: string | null;
}

export interface VerdictRow {
  readonly position: number;
  readonly event: string;
  readonly rule: string;
  readonly version: number;
  readonly verdict: "fail";
  readonly consequence: string;
  readonly sentence: { readonly en: string; readonly ms: string };
  readonly inputs: unknown;
  readonly rep: string;
  readonly store: string | null;
}

/** One order on its way: each step that has happened, and what was said of it. Times RFC 3339 UTC. */
export interface OrderView {
  readonly id: string;
  readonly kind: string;
  readonly rep: string;
  readonly store: string | null;
  /** `at` is null for what has not happened, and for checking, which keeps no time of its own. */
  readonly state: readonly {
    readonly step: "captured" | "in-log" | "checked";
    readonly done: boolean;
    readonly at: string | null;
  }[];
  readonly body: unknown;
  readonly seen: unknown;
  readonly judgement: Judgement;
  /** What a receipt states of it; a signed checkpoint over it is the receipt's own business. */
  readonly receipt: {
    readonly term: string;
    readonly position: number;
    readonly device: string;
    readonly run: string;
    readonly seq: number;
    readonly sha256: string;
    readonly received: string;
    readonly flags: readonly string[];
  };
  /** Later facts that name this order, in log order. */
  readonly changes: readonly { readonly id: string; readonly totalSen: number | null; readonly hash: string }[];
}

/** Everything that can be asked of the followers, by name. Pure reads, at most a few milliseconds each. */
export const questions = {
  /** Null: there is no such board. */
  board: (world: AskedWorld, input: { name: string }): BoardSnapshot | null =>
    boardByName(input.name)?.snapshot(world) ?? null,

  alerts: (world: AskedWorld): readonly Alert[] => world.alerts,

  fleet: (world: AskedWorld): readonly FleetRow[] => readFleet(world),

  followers: (world: AskedWorld): readonly FollowerStatus[] => world.followers,

  findings: ({ db }: AskedWorld, input: PageInput): PageOf<FindingRow> =>
    page(
      db,
      `select observation.position, finding.id as event, detector, version, consequence, sentence, evidence,
              json_extract(data, '$.rep') as rep, json_extract(data, '$.store') as store
         from finding join observation on observation.hash = finding.hash
        where withdrawn_at is null`,
      input,
      (row) => ({ ...(row as unknown as FindingRow), evidence: JSON.parse(String(row["evidence"])) as unknown }),
    ),

  verdicts: ({ db }: AskedWorld, input: PageInput): PageOf<VerdictRow> =>
    page(
      db,
      `select position, item as event, rule, version, consequence, sentence_en, sentence_ms, inputs, rep, store
         from verdict`,
      input,
      ({ sentence_en: en, sentence_ms: ms, inputs, ...row }) => ({
        ...(row as unknown as Omit<VerdictRow, "verdict" | "sentence" | "inputs">),
        verdict: "fail",
        sentence: { en: String(en), ms: String(ms) },
        inputs: JSON.parse(String(inputs)) as unknown,
      }),
    ),

  order: ({ db, relay, masters }: AskedWorld, input: { id: string }): OrderView | null => {
    const leaf = findLeaf(relay, input.id);
    if (leaf?.event == null) return null;
    const { event, received } = leaf;
    const judgement = readJudgement(db, leaf);
    const changes = db
      .prepare("select id, total_sen as totalSen, hash from today_change where order_id = ? order by at_ms, id")
      .all(input.id) as unknown as OrderView["changes"];
    return {
      id: event.id,
      kind: event.kind,
      rep: masters.personOf(leaf.device) ?? event.rep,
      store: event.store,
      state: [
        { step: "captured", done: true, at: event.at },
        { step: "in-log", done: true, at: received },
        { step: "checked", done: judgement.judged, at: null },
      ],
      body: event.body,
      seen: event.seen,
      judgement,
      receipt: {
        term: leaf.term,
        position: leaf.position,
        device: leaf.device,
        run: leaf.run,
        seq: leaf.seq,
        sha256: leaf.hash,
        received,
        flags: leaf.flags,
      },
      changes,
    };
  },

  story: ({ db, relay, masters }: AskedWorld, input: { item: string }): (Story & { rep: string | null }) | null => {
    const leaf = findLeaf(relay, input.item);
    const story = tellStory(relay, input.item, judgementSteps(db, leaf));
    if (story === undefined) return null;
    return { ...story, rep: story.device === null ? null : masters.personOf(story.device) };
  },
} as const;

/** More than any event has: one for each rule or detector. */
const ROWS_OF_AN_EVENT = 100;

export type Questions = typeof questions;
export type QuestionName = keyof Questions;
export type QuestionInput<N extends QuestionName> = Questions[N] extends (world: AskedWorld, input: infer I) => unknown
  ? I
  : undefined;
export type QuestionAnswer<N extends QuestionName> = ReturnType<Questions[N]>;

function page<T extends { readonly position: number }>(
  db: DatabaseSync,
  select: string,
  { before, count, rep, store, reps }: PageInput,
  read: (row: Record<string, unknown>) => T,
): PageOf<T> {
  const rows = db
    .prepare(
      `select * from (${select})
        where (?1 is null or position < ?1) and (?2 is null or rep = ?2) and (?3 is null or store = ?3)
          and (?4 is null or rep in (select value from json_each(?4)))
        order by position desc limit ?5`,
    )
    .all(before, rep, store, reps === null ? null : JSON.stringify(reps), count + ROWS_OF_AN_EVENT) as Record<
    string,
    unknown
  >[];
  // A page ends between two events, never within one: the next page starts below a position.
  const end = rows[count - 1]?.["position"];
  const shown = rows.filter((row, index) => index < count || row["position"] === end).map(read);
  return { rows: shown, before: rows.length > shown.length ? (shown.at(-1)?.position ?? null) : null };
}
