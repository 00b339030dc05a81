import { readEvent } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import type { DocumentItem, Follower, LogItem, StreamItem, TrailItem } from "./follower.ts";
import { prepared } from "./prepared.ts";

/** The relay's three streams in bounded pages. A page is read whole, so that no open cursor keeps the log from shrinking. */
export interface Streams {
  /** Whatever `run` reads of the relay is of one moment, and each page of the file is looked up once. No longer than a round. */
  atOneMoment<T>(run: () => T): T;
  read(stream: Follower["stream"], position: number, count: number): readonly StreamItem[];
  /** The hash of the row at a position: a different one than remembered means that the relay was restored. */
  hashAt(stream: Follower["stream"], position: number): string | undefined;
  /** The current term of the order log; another one says that the relay was restored. */
  term(): string;
  /** The next position. */
  head(stream: Follower["stream"]): number;
}

const table = { log: "log", trail: "trail", documents: "change" } as const;

export function createStreams(relay: DatabaseSync): Streams {
  const log = relay.prepare(
    `select log.position, term, type, device, run, seq, hash, received, flags, coalesce(remains, bytes) as bytes,
            decision is not null and remains is null as expired, remains is not null as remains
       from log left join expired on expired.position = log.position
       where log.position >= ? order by log.position limit ?`,
  );
  const trail = relay.prepare(
    "select position, at, log_head, topic, device, item, detail from trail where position >= ? order by position limit ?",
  );
  const documents = relay.prepare(
    "select position, doc, hash, received, bytes from change where position >= ? order by position limit ?",
  );
  return {
    atOneMoment: (run) => {
      relay.exec("begin");
      try {
        return run();
      } finally {
        relay.exec("commit");
      }
    },
    read: (stream, position, count) => {
      if (stream === "log") return (log.all(position, count) as unknown as LogRow[]).map(logItem);
      if (stream === "trail") return (trail.all(position, count) as unknown as TrailRow[]).map(trailItem);
      return (documents.all(position, count) as unknown as Omit<DocumentItem, "stream">[]).map((row) => ({
        stream: "documents",
        ...row,
      }));
    },
    hashAt: (stream, position) =>
      (
        prepared(relay, `select hash from ${table[stream]} where position = ?`).get(position) as
          | { hash: string }
          | undefined
      )?.hash,
    term: () =>
      (relay.prepare("select id from term order by number desc limit 1").get() as { id: string } | undefined)?.id ?? "",
    head: (stream) =>
      (
        prepared(relay, `select coalesce(max(position) + 1, 0) as head from ${table[stream]}`).get() as {
          head: number;
        }
      ).head,
  };
}

type LogRow = Omit<LogItem, "stream" | "flags" | "event" | "isRemains"> & {
  flags: string;
  bytes: Uint8Array;
  expired: number;
  remains: number;
};
type TrailRow = Omit<TrailItem, "stream" | "detail" | "logHead"> & { detail: string; log_head: number };

function logItem(row: LogRow): LogItem {
  const { bytes, flags, expired, remains, ...rest } = row;
  const read = row.type === "event" ? readEvent(bytes) : null;
  return {
    stream: "log",
    ...rest,
    type: expired === 1 ? "expired" : row.type,
    flags: JSON.parse(flags) as string[],
    event: read?.ok === true ? read.value : null,
    isRemains: remains === 1,
  };
}

function trailItem({ log_head: logHead, detail, ...rest }: TrailRow): TrailItem {
  return { stream: "trail", ...rest, logHead, detail: JSON.parse(detail) as Record<string, unknown> };
}
