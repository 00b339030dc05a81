import { utcFromMs } from "@sampai/engine/core";
import type { Watch } from "./watch.ts";

const HOUR_MS = 3_600_000;
const LEAST = 10;
const TIMES_USUAL = 3;

/** One cause that refuses much more in an hour than it did in the day before: a bad release, a delisted good, an attack. */
export const refusalSpike: Watch = {
  name: "refusal-spike",
  look: ({ db, nowMs }) => {
    const rows = db
      .prepare(
        `select code,
                sum(at > ?1) as recent,
                sum(at <= ?1) as earlier,
                count(distinct case when at > ?1 then device end) as devices
           from refusal_seen where at > ?2 group by code`,
      )
      .all(utcFromMs(nowMs - HOUR_MS), utcFromMs(nowMs - 25 * HOUR_MS)) as {
      code: string;
      recent: number;
      earlier: number;
      devices: number;
    }[];
    return rows
      .filter(({ recent, earlier }) => recent >= LEAST && recent > TIMES_USUAL * (earlier / 24))
      .map(({ code, recent, earlier, devices }) => ({
        subject: code,
        rep: null,
        reason: `${recent} refusals ${code} in the last hour, from ${devices} ${devices === 1 ? "device" : "devices"}; ${earlier} in the day before.`,
        evidence: { code, lastHour: recent, dayBefore: earlier, devices },
      }));
  },
};
