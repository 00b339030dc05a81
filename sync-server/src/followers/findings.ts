import type { Consequence } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import type { Detector } from "../anomalies/detector.ts";
import type { FollowerContext } from "./follower.ts";
import type { Histories } from "./histories.ts";
import { prepared } from "./prepared.ts";

export const findingTables = `
create table if not exists finding (
  hash text not null,
  detector text not null,
  made_at text not null,
  version integer not null,
  id text not null,
  who text not null,
  consequence text not null,
  evidence text not null,
  sentence text not null,
  withdrawn_at text,
  primary key (hash, detector, made_at)
) strict, without rowid;
create index if not exists finding_made on finding (detector, who, made_at);
create index if not exists finding_id on finding (id);
`;

/** Findings of one detector that may have changed: those that stood before, and those that stand now. */
export interface FindingsOf {
  readonly before: ReadonlyMap<string, StandingFinding>;
  readonly after: ReadonlyMap<string, StandingFinding>;
}

export interface StandingFinding {
  readonly hash: string;
  readonly id: string;
  readonly detector: string;
  readonly version: number;
  readonly sentence: string;
  readonly consequence: Consequence;
}

/**
 * After a page: gives every finding the consequence that the pack seen by its event names for the detector, and tells
 * the trail what came to stand and what no longer does.
 */
export function writeFindings(
  db: DatabaseSync,
  { observation }: Histories,
  touched: ReadonlyMap<string, FindingsOf>,
  context: FollowerContext,
): void {
  let any = false;
  for (const { before, after } of touched.values()) {
    for (const finding of after.values()) {
      const { hash, id, detector, version, sentence } = finding;
      const { pack, device } = observation(hash);
      const named = pack === null ? undefined : context.masters.pack(pack)?.rules.consequences[detector];
      const consequence: Consequence = named ?? finding.consequence;
      if (consequence !== finding.consequence) {
        prepared(db, "update finding set consequence = ? where hash = ? and detector = ? and withdrawn_at is null").run(
          consequence,
          hash,
          detector,
        );
      }
      if (before.has(hash)) continue;
      any = true;
      context.note(`finding ${hash} ${detector} ${version}`, {
        topic: "finding",
        device,
        item: id,
        detail: { detector, version, consequence, sentence },
      });
    }
    for (const { hash, id, detector, version } of before.values()) {
      if (after.has(hash)) continue;
      any = true;
      context.note(`withdrawn ${hash} ${detector} ${version}`, {
        topic: "finding",
        device: observation(hash).device,
        item: id,
        detail: { detector, version, withdrawn: true },
      });
    }
  }
  if (!any) return;
  context.changed("findings");
  context.changed("board:today");
}

/** The findings that stand now and that reading on from `startKey` may change. */
export function standingAfter(
  db: DatabaseSync,
  detector: Detector,
  who: string,
  startKey: string,
): Map<string, StandingFinding> {
  const rows = prepared(
    db,
    `select hash, id, sentence, consequence from finding
       where detector = ? and who = ? and withdrawn_at is null and made_at > ?`,
  ).all(detector.name, who, startKey) as unknown as {
    hash: string;
    id: string;
    sentence: string;
    consequence: string | null;
  }[];
  return new Map(
    rows.map(({ hash, id, sentence, consequence }) => [
      hash,
      {
        hash,
        id,
        sentence,
        detector: detector.name,
        version: detector.version,
        consequence: (consequence as Consequence | null) ?? detector.consequence,
      },
    ]),
  );
}

type Found = NonNullable<ReturnType<Detector["step"]>["findings"]>[number];

export function standing(detector: Detector, found: Found): StandingFinding {
  return {
    hash: found.event.hash,
    id: found.event.id,
    detector: detector.name,
    version: detector.version,
    sentence: detector.sentence(found.evidence),
    consequence: found.consequence ?? detector.consequence,
  };
}

export function insertFinding(db: DatabaseSync, detector: Detector, who: string, key: string, found: Found): void {
  prepared(
    db,
    `insert into finding (hash, detector, made_at, version, id, who, consequence, evidence, sentence, withdrawn_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)`,
  ).run(
    found.event.hash,
    detector.name,
    key,
    detector.version,
    found.event.id,
    who,
    found.consequence ?? detector.consequence,
    JSON.stringify(found.evidence),
    detector.sentence(found.evidence),
  );
}
