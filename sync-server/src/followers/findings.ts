import type { Consequence } from "@sampai/engine";
import type { FindingsOf, Histories } from "./anomalies.ts";
import type { FollowerContext } from "./follower.ts";

/**
 * After a page: gives every finding the consequence that the pack seen by its event names for the detector, and tells
 * the trail what came to stand and what no longer does.
 */
export function writeFindings(
  { sql, observation }: Histories,
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
        sql("update finding set consequence = ? where hash = ? and detector = ? and withdrawn_at is null").run(
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
