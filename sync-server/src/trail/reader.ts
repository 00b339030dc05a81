import type { DatabaseSync } from "node:sqlite";
import type { TrailReader, TrailRow, TrailTopic } from "./trail.ts";

const columns = "position, at, log_head as logHead, topic, device, item, detail, hash";
const MOST_ABOUT = 1_000;

/**
 * What is about something else than an admission. Said beside `topic = …` wherever rows are looked up by item: SQLite does
 * not see that the one follows from the other, and without it reads the whole trail instead of the index. Text of SQL.
 */
export const notAdmission = "topic <> 'admission'";

/**
 * Admissions without a place, and those of events without an offline id (36 characters): rows that cannot be found by the
 * leaf of that id, behind which they were noted. As text of SQL, because an index over them must be asked in its own words.
 */
export const unplaced =
  "topic = 'admission' and (length(item) <> 36 or coalesce(detail ->> 'answer', '') not in ('placed', 'branch'))";

/** Reads the trail over any connection to the relay's database. */
export function createTrailReader(relay: DatabaseSync): TrailReader {
  const page = relay.prepare(`select ${columns} from trail where position >= ? order by position limit ?`);
  const about = relay.prepare(
    `select ${columns} from trail where item = ?1 and ${notAdmission}
     union all select ${columns} from trail where item = ?1 and ${unplaced}
     union all select ${columns} from trail
       where log_head in (select position + 1 from log where id = ?1) and topic = 'admission' and item = ?1 and not (${unplaced})
     order by position limit ?2`,
  );
  const head = relay.prepare("select coalesce(max(position) + 1, 0) as head from trail");
  return {
    read: (position, count) => (page.all(position, count) as unknown as StoredRow[]).map(readRow),
    about: (item) => (about.all(item, MOST_ABOUT) as unknown as StoredRow[]).map(readRow),
    head: () => (head.get() as { head: number }).head,
  };
}

type StoredRow = Omit<TrailRow, "detail" | "topic"> & { topic: string; detail: string };

function readRow({ detail, topic, ...row }: StoredRow): TrailRow {
  return { ...row, topic: topic as TrailTopic, detail: JSON.parse(detail) as TrailRow["detail"] };
}
