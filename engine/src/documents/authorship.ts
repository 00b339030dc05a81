import * as A from "@automerge/automerge/slim";
import { z } from "zod";
import { utcFromMs } from "../core/clock.ts";
import type { Replica } from "./genesis.ts";

/** Who made a change, as its message says. The gate holds it against the connection; later readers may rely on it. */
export const authorSchema = z.strictObject({
  by: z.string().min(1).max(60),
  role: z.string().min(1).max(40),
  device: z.string().min(1).max(60),
});
export type Author = z.infer<typeof authorSchema>;

/** A change and its author. `at` is RFC 3339 UTC. */
export interface Authorship extends Author {
  readonly at: string;
  readonly change: string;
}

/** 9999-12-31T23:59:59.999Z: later times have no RFC 3339 text. */
const LAST_MS = 253_402_300_799_999;

export const authorMessage = ({ by, role, device }: Author): string => JSON.stringify({ by, role, device });

/** Reads a change's message; null where it is not one of ours. */
export function readAuthor(message: string | null): Author | null {
  try {
    const parsed = authorSchema.safeParse(JSON.parse(message ?? ""));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** `time` in milliseconds. Without a readable message the author is unknown, of lowest authority, and time is in seconds. */
export function authorshipOf(change: { time: number; message: string | null; hash: string }): Authorship {
  const author = readAuthor(change.message);
  const at = writtenAt(change.time, author);
  return { ...(author ?? { by: "unknown", role: "unknown", device: "unknown" }), at, change: change.hash };
}

/** When a change was made, RFC 3339 UTC, by its `time` and the author that its message names. */
export function writtenAt(time: number, author: Author | null): string {
  const ms = author === null ? time * 1_000 : time;
  return utcFromMs(Math.min(LAST_MS, Math.max(0, Math.round(ms) || 0)));
}

interface Span {
  readonly startOp: number;
  readonly maxOp: number;
  readonly authorship: Authorship;
}
interface ChangeIndex {
  heads: readonly string[];
  /** Actor → its changes, by operation counter. */
  readonly byActor: Map<string, Span[]>;
}

const indexes = new WeakMap<object, ChangeIndex>();

/** Who made the operation `counter@actor`. The index behind it is kept per document and grows with its heads. */
export function authorOfOperation(replica: Replica, op: string): Authorship | undefined {
  const [counter, actor] = op.split("@") as [string, string];
  const spans = indexOf(replica).byActor.get(actor) ?? [];
  const number = Number(counter);
  return spans.findLast((span) => span.startOp <= number && number <= span.maxOp)?.authorship;
}

function indexOf(replica: Replica): ChangeIndex {
  const backend = A.getBackend(replica);
  const heads = A.getHeads(replica);
  const index = indexes.get(backend) ?? { heads: [], byActor: new Map<string, Span[]>() };
  if (index.heads.join() === heads.join()) return index;
  for (const meta of A.getChangesMetaSince(replica, [...index.heads])) {
    const spans = index.byActor.get(meta.actor) ?? [];
    spans.push({ startOp: meta.startOp, maxOp: meta.maxOp, authorship: authorshipOf(meta) });
    index.byActor.set(meta.actor, spans);
  }
  index.heads = heads;
  indexes.set(backend, index);
  return index;
}
