import type { Clock } from "@sampai/engine/core";
import type { DatabaseSync } from "node:sqlite";
import type { Follower, FollowerContext, StreamItem } from "./follower.ts";
import type { Masters } from "./masters.ts";
import type { NoteQueue } from "./notes.ts";
import type { Streams } from "./streams.ts";
import { transact } from "./transact.ts";

/** Rows in one page: a page of orders takes some 20 ms, and questions are answered between pages. */
const PAGE = 200;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

export interface Runner {
  /** Takes at most one page of each follower. Answers whether there is more to do now. */
  turn(): boolean;
  /** Does one piece of what followers left for later. Answers whether there was any. */
  rest(): boolean;
  /** Milliseconds until a follower that threw is tried again, or null where none waits. */
  retryInMs(): number | null;
  status(): readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly name: string;
  readonly stream: Follower["stream"];
  /** The next position that it reads. */
  readonly position: number;
  readonly behind: number;
  /** RFC 3339 UTC and reason, null while it works. */
  readonly failingSince: string | null;
  readonly error: string | null;
  readonly failures: number;
}

/** A page that a follower takes next. */
interface Task {
  readonly follower: Follower;
  readonly cursor: CursorRow;
  readonly page: readonly StreamItem[];
  readonly last: StreamItem;
}

interface CursorRow {
  version: number;
  position: number;
  last_hash: string;
  failures: number;
  retry_at_ms: number;
  failing_since: string | null;
  error: string | null;
}

/**
 * Moves every follower along its stream. The pages of a round and the cursors behind them are one transaction. Where a
 * follower throws, the round is rolled back and each takes its page alone: the one that throws is tried again later, row
 * by row, while the others go on. A changed version, or a stream that is not the one it was (a restored relay), makes a
 * follower start from nothing. A new term makes all of them start from nothing.
 */
export function createRunner(deps: {
  readonly db: DatabaseSync;
  readonly streams: Streams;
  readonly followers: readonly Follower[];
  readonly masters: Masters;
  readonly notes: NoteQueue;
  readonly clock: Clock;
  readonly zone: string;
  readonly changed: (topic: string) => void;
}): Runner {
  const { db, streams, followers, masters, notes, clock, zone, changed } = deps;
  const ofDocuments = followers.filter(({ stream }) => stream === "documents");
  const ofFacts = followers.filter(({ stream }) => stream !== "documents");
  const read = db.prepare("select * from follower where name = ?");
  const begin = (follower: Follower) => {
    follower.reset(db);
    follower.prepare(db);
    write.run(follower.name, follower.version, 0, "");
  };
  const write = db.prepare(
    `insert into follower (name, version, position, last_hash, failures, retry_at_ms, failing_since, error)
       values (?, ?, ?, ?, 0, 0, null, null)
     on conflict (name) do update set version = excluded.version, position = excluded.position,
       last_hash = excluded.last_hash, failures = 0, retry_at_ms = 0, failing_since = null, error = null`,
  );
  const fail = db.prepare(
    "update follower set failures = ?, retry_at_ms = ?, failing_since = coalesce(failing_since, ?), error = ? where name = ?",
  );
  const cursorOf = (follower: Follower): CursorRow => {
    const row = read.get(follower.name) as unknown as CursorRow | undefined;
    if (row !== undefined && row.version === follower.version && isSameStream(follower, row)) return row;
    transact(db, () => begin(follower));
    return read.get(follower.name) as unknown as CursorRow;
  };
  const followed = db.prepare("select term from followed_term").get() as { term: string } | undefined;
  const term = streams.term();
  const isRestored = followed !== undefined && followed.term !== term;
  if (followed?.term !== term) {
    transact(db, () => {
      // What was read before may not be what stands there now, even where the last row of it is the same.
      if (isRestored) for (const follower of followers) begin(follower);
      db.prepare("insert or replace into followed_term (one, term) values (1, ?)").run(term);
    });
  }
  for (const follower of followers) {
    const row = read.get(follower.name) as unknown as CursorRow | undefined;
    // Tables of another version may have other columns: they go before anybody asks for those.
    if (row?.version === follower.version) follower.prepare(db);
    else transact(db, () => begin(follower));
  }
  const isSameStream = (follower: Follower, row: CursorRow) =>
    row.position === 0 || streams.hashAt(follower.stream, row.position - 1) === row.last_hash;

  /** What a follower has to do now, null where nothing. Followers at one position are given one and the same page. */
  const taskOf = (follower: Follower, head: number, read: Streams["read"]): Task | null => {
    const cursor = cursorOf(follower);
    if (cursor.retry_at_ms > clock.wallMs()) return null;
    const count = Math.min(cursor.failures > 0 ? 1 : PAGE, head - cursor.position);
    const page = count <= 0 ? [] : read(follower.stream, cursor.position, count);
    const last = page.at(-1);
    return last === undefined ? null : { follower, cursor, page, last };
  };
  const contextFor = (topics: Set<string>): FollowerContext => ({
    nowMs: clock.wallMs(),
    zone,
    masters,
    changed: (topic) => topics.add(topic),
    note: (key, row) => notes.add(key, row),
  });
  /**
   * Called within a transaction. Takes nothing where the cursor is not the one that was read: somebody let the follower
   * forget meanwhile, and a step would undo that.
   */
  const take = ({ follower, cursor, page, last }: Task, topics: Set<string>) => {
    if ((read.get(follower.name) as unknown as CursorRow).last_hash !== cursor.last_hash) return;
    follower.step(db, page, contextFor(topics));
    write.run(follower.name, follower.version, last.position + 1, hashOf(streams, follower, last));
  };
  /** Answers whether all of them took their pages. */
  const takeTogether = (tasks: readonly Task[]): boolean => {
    const topics = new Set<string>();
    try {
      transact(db, () => {
        for (const task of tasks) take(task, topics);
      });
    } catch {
      return false;
    }
    for (const topic of topics) changed(topic);
    return true;
  };
  /** Answers whether it is tried again now. */
  const failed = ({ follower, cursor }: Pick<Task, "follower" | "cursor">, error: unknown): boolean => {
    const failures = cursor.failures + 1;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const now = new Date(clock.wallMs()).toISOString();
    // The first failure is of the page; the next try goes row by row at once, so that the bad row is named.
    fail.run(failures, failures === 1 ? 0 : clock.wallMs() + delayMs, now, reason.slice(0, 500), follower.name);
    changed("alerts");
    return failures === 1;
  };
  const takeAlone = (task: Task): boolean => {
    const { cursor } = task;
    const topics = new Set<string>();
    try {
      transact(db, () => take(task, topics));
    } catch (error) {
      return failed(task, error);
    }
    if (cursor.failures > 0) changed("alerts");
    for (const topic of topics) changed(topic);
    return true;
  };
  /** One page of each of them. Answers whether there is more to do now. */
  const round = (ones: readonly Follower[], heads: Readonly<Record<Follower["stream"], number>>): boolean => {
    const read = sharedReads(streams);
    const tasks = ones.flatMap((follower) => taskOf(follower, heads[follower.stream], read) ?? []);
    const sound = tasks.filter(({ cursor }) => cursor.failures === 0);
    const isTaken = sound.length > 1 && takeTogether(sound);
    const left = isTaken ? tasks.filter(({ cursor }) => cursor.failures > 0) : tasks;
    return [isTaken, ...left.map(takeAlone)].includes(true);
  };

  return {
    turn: () =>
      streams.atOneMoment(() => {
        const heads = { documents: streams.head("documents"), log: streams.head("log"), trail: streams.head("trail") };
        // Documents to their end before facts: a fact is judged by records that came before it.
        return round(ofDocuments, heads) || round(ofFacts, heads);
      }),
    rest: () => {
      for (const follower of followers) {
        const cursor = cursorOf(follower);
        if (follower.rest === undefined || cursor.failures > 0) continue;
        const topics = new Set<string>();
        let isDone = false;
        try {
          transact(db, () => {
            isDone = follower.rest?.(db, contextFor(topics)) ?? false;
          });
        } catch (error) {
          failed({ follower, cursor }, error);
          continue;
        }
        for (const topic of topics) changed(topic);
        if (isDone) return true;
      }
      return false;
    },
    retryInMs: () => {
      const { at } = db.prepare("select min(retry_at_ms) as at from follower where retry_at_ms > 0").get() as {
        at: number | null;
      };
      return at === null ? null : Math.max(0, at - clock.wallMs());
    },
    status: () =>
      followers.map((follower) => {
        const cursor = cursorOf(follower);
        return {
          name: follower.name,
          stream: follower.stream,
          position: cursor.position,
          behind: Math.max(0, streams.head(follower.stream) - cursor.position),
          failingSince: cursor.failing_since,
          error: cursor.error,
          failures: cursor.failures,
        };
      }),
  };
}

function hashOf(streams: Streams, follower: Follower, item: StreamItem): string {
  return item.stream === "trail" ? (streams.hashAt(follower.stream, item.position) ?? "") : item.hash;
}

/** Reads each page once, however many followers stand before it: its events are parsed once too. */
function sharedReads(streams: Streams): Streams["read"] {
  const pages = new Map<string, readonly StreamItem[]>();
  return (stream, position, count) => {
    const name = `${stream} ${position} ${count}`;
    const page = pages.get(name) ?? streams.read(stream, position, count);
    pages.set(name, page);
    return page;
  };
}
