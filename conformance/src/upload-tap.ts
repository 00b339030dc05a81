import type { Direction } from "./shaped-link.ts";

/** What uploads cost a link, read from the link itself and not from either end. Bytes of bodies, without heads. */
export interface UploadCounts {
  /** Requests that carried or began an upload. */
  readonly requests: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Bytes that the phone had been told are safe, and that were sent all the same. */
  readonly resentBytes: number;
}

/** One direction of a connection, cut into HTTP messages. */
interface Reader {
  head: string;
  /** Body bytes of the message that is passing. */
  left: number;
}

/** Reads tus 1.0.0 off a link: how much was sent, and how much of it the phone already had an answer for. */
export interface UploadTap {
  delivered(connection: number, direction: Direction, bytes: Buffer): void;
  counts(): UploadCounts;
}

const HEAD_END = "\r\n\r\n";

export function createUploadTap(): UploadTap {
  const counts = { requests: 0, headBytes: 0, bodyBytes: 0, resentBytes: 0 };
  const readers = new Map<string, Reader>();
  /** The request of each connection that waits for its answer. */
  const asked = new Map<number, string>();
  /** Which photo's part an upload's path carries, and how far the phone knows it to be safe. */
  const partOf = new Map<string, string>();
  const safe = new Map<string, number>();

  const request = (connection: number, head: string): void => {
    asked.set(connection, head);
    const [method = "", path = ""] = head.split(" ");
    if (!path.startsWith("/files")) return;
    counts.requests += 1;
    counts.headBytes += head.length;
    const bytes = Number(field(head, "content-length") ?? 0);
    counts.bodyBytes += bytes;
    const part = method === "POST" ? (field(head, "upload-metadata") ?? "") : (partOf.get(path) ?? "");
    const from = method === "POST" ? 0 : Number(field(head, "upload-offset") ?? Number.POSITIVE_INFINITY);
    counts.resentBytes += Math.max(0, Math.min(safe.get(part) ?? 0, from + bytes) - from);
  };
  const answer = (connection: number, head: string): void => {
    const [method = "", path = ""] = (asked.get(connection) ?? "").split(" ");
    if (!path.startsWith("/files")) return;
    const location = field(head, "location");
    if (method === "POST" && location !== undefined) {
      const made = new URL(location, "http://link").pathname;
      partOf.set(made, field(asked.get(connection) ?? "", "upload-metadata") ?? "");
    }
    const offset = Number(field(head, "upload-offset"));
    const part = method === "POST" ? field(asked.get(connection) ?? "", "upload-metadata") : partOf.get(path);
    if (part !== undefined && Number.isSafeInteger(offset)) safe.set(part, Math.max(safe.get(part) ?? 0, offset));
  };

  return {
    counts: () => ({ ...counts }),
    delivered: (connection, direction, bytes) => {
      const name = `${connection}/${direction}`;
      const reader = readers.get(name) ?? { head: "", left: 0 };
      readers.set(name, reader);
      let at = 0;
      while (at < bytes.length) {
        if (reader.left > 0) {
          const skipped = Math.min(reader.left, bytes.length - at);
          reader.left -= skipped;
          at += skipped;
          continue;
        }
        const before = reader.head.length;
        reader.head += bytes.subarray(at).toString("latin1");
        const end = reader.head.indexOf(HEAD_END);
        if (end < 0) return;
        const head = reader.head.slice(0, end + HEAD_END.length);
        at += head.length - before;
        reader.head = "";
        // What follows an upgrade is no HTTP any more.
        const upgraded = / 101 /.test(head.slice(0, 20)) || field(head, "upgrade") !== undefined;
        reader.left = upgraded ? Number.POSITIVE_INFINITY : Number(field(head, "content-length") ?? 0);
        if (direction === "up") request(connection, head);
        else answer(connection, head);
      }
    },
  };
}

const field = (head: string, name: string): string | undefined =>
  new RegExp(`\r\n${name}: *([^\r\n]*)`, "i").exec(head)?.[1];
