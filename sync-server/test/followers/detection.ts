import { DatabaseSync } from "node:sqlite";
import { createAnomalies } from "../../src/followers/anomalies.ts";
import type { FollowerContext, LogItem } from "../../src/followers/follower.ts";
import type { Masters } from "../../src/followers/masters.ts";
import { transact } from "../../src/followers/transact.ts";
import type { Captured } from "./field-phone.ts";

export function logItem(position: number, { envelope, candidate }: Captured, received: string): LogItem {
  return {
    stream: "log",
    position,
    term: "1:test",
    type: "event",
    device: envelope.device,
    run: candidate.run,
    seq: candidate.seq,
    hash: candidate.hash,
    received,
    flags: [],
    event: envelope,
    isRemains: false,
  };
}

export interface FoundFlag {
  readonly id: string;
  readonly detector: string;
  readonly sentence: string;
  readonly consequence: string;
}

/** Runs the detectors over pages of log rows and answers every flag that stands at the end, in a fixed order. */
export function detect(pages: readonly (readonly LogItem[])[], masters: Masters): FoundFlag[] {
  const db = new DatabaseSync(":memory:");
  const anomalies = createAnomalies();
  anomalies.prepare(db);
  const context: FollowerContext = {
    nowMs: 0,
    zone: "Asia/Kuala_Lumpur",
    masters,
    changed: () => undefined,
    note: () => undefined,
  };
  for (const page of pages) transact(db, () => anomalies.step(db, page, context));
  while (anomalies.rest?.(db, context) === true);
  return db
    .prepare(
      "select id, detector, sentence, consequence from finding where withdrawn_at is null order by id, detector, sentence",
    )
    .all()
    .map((row) => ({ ...row }) as unknown as FoundFlag);
}
