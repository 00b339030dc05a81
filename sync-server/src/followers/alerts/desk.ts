import { utcFromMs } from "@sampai/engine/core";
import type { DatabaseSync } from "node:sqlite";
import type { NoteQueue } from "../notes.ts";
import { transact } from "../transact.ts";
import { watches as allWatches } from "./index.ts";
import type { Condition, Watch, WatchWorld } from "./watch.ts";

const tables = `
create table if not exists alert (
  name text not null,
  since text not null,
  watch text not null,
  subject text not null,
  rep text,
  reason text not null,
  evidence text not null,
  cleared text,
  primary key (name, since)
) strict, without rowid;
`;

/** An alert that stands now. */
export interface Alert {
  /** `watch:subject`: what a snooze names. */
  readonly alert: string;
  readonly watch: string;
  readonly subject: string;
  readonly rep: string | null;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** RFC 3339 UTC. */
  readonly since: string;
  /** Set while somebody asked not to be told: until when, and who. */
  readonly snoozed: { readonly until: string; readonly by: string } | null;
}

export interface AlertDesk {
  /** Looks once. Raises what is new, clears what is over, and says whether anything changed. */
  look(world: WatchWorld): boolean;
  standing(nowMs: number): readonly Alert[];
}

/**
 * Alerts: raised when a watch's condition begins, standing while it holds, cleared when it is over, each told to the
 * trail once. A watch that throws keeps what it raised and is itself told of.
 */
export function createAlertDesk(db: DatabaseSync, notes: NoteQueue, watches: readonly Watch[] = allWatches): AlertDesk {
  db.exec(tables);
  const open = db.prepare("select name, since, watch, reason, evidence from alert where cleared is null");
  const insert = db.prepare(
    `insert into alert (name, since, watch, subject, rep, reason, evidence, cleared) values (?, ?, ?, ?, ?, ?, ?, null)
     on conflict (name, since) do update set reason = excluded.reason, evidence = excluded.evidence, cleared = null`,
  );
  const update = db.prepare("update alert set reason = ?, evidence = ? where name = ? and cleared is null");
  const clear = db.prepare("update alert set cleared = ? where name = ? and cleared is null");
  const forget = db.prepare("delete from alert where cleared < ?");
  const standing = db.prepare(
    `select name as alert, since, watch, subject, rep, reason, evidence, until, by from alert
       left join snooze on snooze.alert = name and until > ?
      where cleared is null order by since, name`,
  );
  return {
    look: (world) => {
      const now = utcFromMs(world.nowMs);
      const { found, broken } = lookWith(watches, world);
      let changed = false;
      transact(db, () => {
        const known = new Map(
          (open.all() as { name: string; since: string; watch: string; reason: string; evidence: string }[]).map(
            (row) => [row.name, row],
          ),
        );
        for (const { watch, subject, rep, reason, evidence } of found) {
          const name = `${watch}:${subject}`;
          const row = known.get(name);
          known.delete(name);
          const text = JSON.stringify(evidence);
          if (row === undefined) {
            insert.run(name, now, watch, subject, rep, reason, text);
            const detail = { action: "raised", watch, subject, reason };
            notes.add(`${name} ${now} raised`, { topic: "alert", device: null, item: name, detail });
            changed = true;
          } else if (row.reason !== reason || row.evidence !== text) {
            update.run(reason, text, name);
            changed = true;
          }
        }
        for (const { name, since, watch } of known.values()) {
          if (broken.has(watch)) continue;
          clear.run(now, name);
          const detail = { action: "cleared", watch, since };
          notes.add(`${name} ${since} cleared`, { topic: "alert", device: null, item: name, detail });
          changed = true;
        }
        forget.run(utcFromMs(world.nowMs - 30 * 86_400_000));
      });
      return changed;
    },
    standing: (nowMs) => {
      const rows = standing.all(utcFromMs(nowMs)) as unknown as (Omit<Alert, "evidence" | "snoozed"> & {
        evidence: string;
        until: string | null;
        by: string | null;
      })[];
      return rows.map(({ evidence, until, by, ...alert }) => ({
        ...alert,
        evidence: JSON.parse(evidence) as Alert["evidence"],
        snoozed: until === null || by === null ? null : { until, by },
      }));
    },
  };
}

function lookWith(watches: readonly Watch[], world: WatchWorld) {
  const found: (Condition & { readonly watch: string })[] = [];
  const broken = new Set<string>();
  for (const watch of watches) {
    try {
      found.push(...watch.look(world).map((condition) => ({ ...condition, watch: watch.name })));
    } catch (error) {
      broken.add(watch.name);
      const reason = `The watch ${watch.name} cannot look: ${error instanceof Error ? error.message : String(error)}`;
      found.push({ watch: "watch-broken", subject: watch.name, rep: null, reason: reason.slice(0, 500), evidence: {} });
    }
  }
  return { found, broken };
}
