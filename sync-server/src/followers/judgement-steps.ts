import type { DatabaseSync } from "node:sqlite";
import type { LeafRow, StoryStep } from "../trail/story.ts";
import { createAnomalies } from "./anomalies.ts";
import { createJudge } from "./judge.ts";

/** What followers made of one event. */
export interface Judgement {
  /** Whether every business rule has looked at it. */
  readonly judged: boolean;
  readonly passed: readonly string[];
  readonly verdicts: readonly {
    readonly rule: string;
    readonly version: number;
    readonly verdict: "fail" | "not-checked";
    readonly consequence: string;
    readonly inputs: unknown;
    readonly sentence: { readonly en: string; readonly ms: string };
  }[];
  readonly findings: readonly {
    readonly detector: string;
    readonly version: number;
    readonly consequence: string;
    readonly evidence: unknown;
    readonly sentence: string;
  }[];
}

/** Whether these tables are as this version makes them. They are made by a relay that starts, and made again after an update. */
function hasJudgements(db: DatabaseSync): boolean {
  const made = db.prepare("select version from follower where name = ?");
  return [createJudge(), createAnomalies()].every(
    ({ name, version }) => (made.get(name) as { version: number } | undefined)?.version === version,
  );
}

const judgedStep = (sentence: string): StoryStep => ({ at: null, clock: "relay", what: "judged", sentence });

/** What is said of an event where nobody has judged for this version yet. */
const unknownJudgement = judgedStep("What was judged of it is not known before a relay has run on this folder.");

/** What is said of an event whose bytes have expired: judged again, what remains of it breaks rules that the event kept. */
const goneJudgement = judgedStep("What was judged of it is gone with its content.");

export function readJudgement(
  db: DatabaseSync,
  { hash, position }: { readonly hash: string; readonly position: number },
): Judgement {
  const judged = db
    .prepare("select passed, unchecked from judged join judge_outcome on number = outcome where position = ?")
    .get(position) as { passed: string; unchecked: string } | undefined;
  const failed = db.prepare("select * from verdict where position = ? order by rule").all(position) as unknown as {
    rule: string;
    version: number;
    consequence: string;
    inputs: string;
    sentence_en: string;
    sentence_ms: string;
  }[];
  const unchecked = JSON.parse(judged?.unchecked ?? "[]") as Judgement["verdicts"];
  const findings = db
    .prepare(
      `select detector, version, consequence, evidence, sentence from finding
        where hash = ? and withdrawn_at is null order by detector`,
    )
    .all(hash) as unknown as (Omit<Judgement["findings"][number], "evidence"> & { evidence: string })[];
  return {
    judged: judged !== undefined,
    passed: judged === undefined ? [] : (JSON.parse(judged.passed) as string[]),
    verdicts: [
      ...failed.map(({ rule, version, consequence, inputs, sentence_en: en, sentence_ms: ms }) => ({
        rule,
        version,
        verdict: "fail" as const,
        consequence,
        inputs: JSON.parse(inputs) as unknown,
        sentence: { en, ms },
      })),
      ...unchecked.toSorted((a, b) => (a.rule < b.rule ? -1 : 1)),
    ],
    findings: findings.map((finding) => ({ ...finding, evidence: JSON.parse(finding.evidence) as unknown })),
  };
}

/** What was made of an event as steps of a story. `db` is null where followers have no database that can be read. */
export function judgementSteps(db: DatabaseSync | null, leaf: LeafRow | undefined): readonly StoryStep[] {
  if (leaf === undefined) return [];
  if (leaf.expiredBy !== null) return [goneJudgement];
  return db !== null && hasJudgements(db) ? stepsOf(readJudgement(db, leaf)) : [unknownJudgement];
}

function stepsOf({ judged, verdicts, findings }: Judgement): StoryStep[] {
  const at = null;
  if (!judged) return [judgedStep("Not yet judged.")];
  const failed = verdicts.filter(({ verdict }) => verdict === "fail");
  const unchecked = verdicts.filter(({ verdict }) => verdict === "not-checked").map(({ rule }) => rule);
  const rest = unchecked.length === 0 ? "" : ` Not checked: ${unchecked.join(", ")}.`;
  const held = (consequence: string) =>
    consequence === "hold-order" ? " Confirm before picking." : consequence === "hold-proof" ? " Proof is held." : "";
  return [
    ...(failed.length === 0
      ? [judgedStep(`Judged clean.${rest}`)]
      : failed.map(({ rule, consequence, sentence }) =>
          judgedStep(`Judged by ${rule}: ${sentence.en}${held(consequence)}`),
        )),
    ...findings.map(({ detector, consequence, sentence }): StoryStep => ({
      at,
      clock: "relay",
      what: "found",
      sentence: `Noticed by ${detector}: ${sentence}${held(consequence)}`,
    })),
  ];
}
