import type { StatementSync } from "node:sqlite";
import { CLOCK_TOLERANCE_MS } from "../anomalies/clock-jump.ts";

/**
 * Observations of one boot whose time is not what it should be, with the right one in milliseconds since 1970. Within a
 * boot the tick cannot be set, so time is tick plus one constant: what the relay said where it was heard in this boot,
 * else what the middle one of the wall readings says. A time that agrees with it within two minutes stays as it was sent.
 */
export function misdated(
  sql: (text: string) => StatementSync,
  boot: string,
): readonly { readonly hash: string; readonly ms: number }[] {
  const offsetMs = median(sql, boot, "anchor_offset") ?? median(sql, boot, "wall_offset");
  if (offsetMs === null) return [];
  return sql(
    `select hash, ms as was,
            case when abs(sent_ms - (tick + ?1)) > ?2 then cast(round(tick + ?1) as integer)
                 else cast(sent_ms as integer) end as ms
       from observation where boot = ?3`,
  )
    .all(offsetMs, CLOCK_TOLERANCE_MS, boot)
    .flatMap((row) => (row["was"] === row["ms"] ? [] : [{ hash: String(row["hash"]), ms: Number(row["ms"]) }]));
}

function median(
  sql: (text: string) => StatementSync,
  boot: string,
  column: "anchor_offset" | "wall_offset",
): number | null {
  const known = `from observation where boot = ? and ${column} is not null`;
  const { count } = sql(`select count(*) as count ${known}`).get(boot) as { count: number };
  if (count === 0) return null;
  const row = sql(`select ${column} as value ${known} order by ${column} limit 1 offset ?`).get(
    boot,
    Math.floor((count - 1) / 2),
  ) as { value: number };
  return row.value;
}
