import { predecessor, readEvent } from "@sampai/engine";
import { batchMessage, dayMessage, expiryMessage } from "@sampai/engine/wire";
import { hash as digest } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { firstUnreadable } from "../database/first-unreadable.ts";
import { isSignedBy } from "../signatures/ed25519.ts";
import { signedDecision } from "./signed-decision.ts";
import type { LeafFlag, LeafType, LogLeaf } from "./log.ts";

/** The first row that is not as it was written, what is wrong with it, and how many others are not: `FAULTS` at the most. */
export interface BadLeaf {
  readonly position: number;
  readonly what: string;
  readonly others: number;
}

type Fault = Omit<BadLeaf, "others">;

interface Row extends Omit<LogLeaf, "flags"> {
  readonly flags: string;
  readonly id: string | null;
  readonly prev: string | null;
  readonly signature: Uint8Array | null;
}

const PAGE = 1_000;
/** Faults after which a walk ends: whoever reads of so many restores a backup. */
const FAULTS = 100;

/**
 * Walks the whole log in pages: positions without a gap; each event's hash over its bytes; each event after the one it
 * follows, or after the declared hole in its stead; each run signed to its end by its device; certificates signed by the
 * workspace's root key (hexadecimal). Answers the first bad row, or null; it goes on behind one, so that one change does
 * not hide another. `progress` is told the position after each page.
 */
export function verifyLog(
  db: DatabaseSync,
  workspace: { readonly id: string; readonly rootKey: string },
  progress: (position: number) => void,
  expired: (position: number, decision: number) => void = () => {},
): BadLeaf | null {
  const page = db.prepare("select * from log where position >= ? order by position limit ?");
  const check = createLeafCheck(db, workspace);
  const faults: Fault[] = [];
  // Found by looking ahead, so a fault of the row ahead is the better answer where there is one.
  let unsigned: Fault | null = null;
  let position = 0;
  const faultOf = (row: Row): string | null => {
    try {
      const decision = check.decisionOver(row);
      if (decision !== null) expired(position, decision);
      const what = check.place(row, decision) ?? check.signature(row);
      if (what === null && unsigned === null && !check.isSigned(row)) {
        unsigned = { position, what: "is signed neither itself nor by an event after it" };
      }
      return what;
    } catch (error) {
      // A row whose columns cannot be read is a bad row; a database that cannot be read is for the caller.
      if ((error as { errcode?: unknown }).errcode !== undefined) throw error;
      return `cannot be read: ${(error as Error).message}`;
    }
  };
  /** Rows from `from` on, up to the first that cannot be read, and what is wrong with that. */
  const readPage = (from: number): { readonly rows: readonly Row[]; readonly unreadable: Fault | null } => {
    try {
      return { rows: page.all(from, PAGE) as unknown as Row[], unreadable: null };
    } catch (error) {
      const at = firstUnreadable((place) => page.all(place, 1), from, PAGE);
      if (at === null) throw error;
      const rows = at === from ? [] : (page.all(from, at - from) as unknown as Row[]);
      return { rows, unreadable: { position: at, what: `cannot be read: ${(error as Error).message}` } };
    }
  };
  for (let isEnd = false; !isEnd && faults.length < FAULTS;) {
    const { rows, unreadable } = readPage(position);
    for (const row of rows) {
      if (row.position !== position) faults.push({ position, what: `is missing; the next row is ${row.position}` });
      ({ position } = row);
      const what = faultOf(row);
      if (what !== null) faults.push({ position, what });
      position += 1;
    }
    if (unreadable !== null) {
      faults.push(unreadable);
      position = unreadable.position + 1;
    }
    progress(position);
    isEnd = unreadable === null && rows.length < PAGE;
  }
  const first = faults[0] ?? unsigned;
  return first === null ? null : { ...first, others: Math.max(0, faults.length - 1) };
}

function createLeafCheck(db: DatabaseSync, { id: workspace, rootKey }: { id: string; rootKey: string }) {
  const placed = db.prepare(
    "select position, run, seq from log indexed by log_hash where device = ? and hash = ? and type = 'event' limit 1",
  );
  // By its place in the run, because the index over hashes holds events alone.
  const hole = db.prepare(
    `select log.position from hole join log on log.device = hole.device and log.run = hole.run and log.seq = hole.seq
       where hole.device = ? and hole.hash = ? and log.type = 'hole' and log.hash = hole.hash limit 1`,
  );
  const follower = db.prepare(
    "select 1 from log indexed by log_seq where device = ? and run = ? and seq = ? and prev = ? and type = 'event' limit 1",
  );
  const decisionOf = db.prepare("select decision from expired where position = ?");
  const decisions = new Map<number, ReadonlySet<number>>();
  // A decision is read once, and counts only as it was signed.
  const eventsNamedBy = (decision: number): ReadonlySet<number> => {
    const known = decisions.get(decision);
    if (known !== undefined) return known;
    const named = new Set(signedDecision(db, rootKey, decision)?.events);
    decisions.set(decision, named);
    return named;
  };
  const keyOf = db.prepare("select public_key as publicKey from device where device = ?");

  const follows = ({ device, run, seq, prev, position, flags }: Row): string | null => {
    if (prev === null) return seq === 1 ? null : `is seq ${seq} of its run and follows nothing`;
    const before = placed.get(device, prev) as { position: number; run: string; seq: number } | undefined;
    const isAfter =
      (before?.position ?? Infinity) < position ||
      ((hole.get(device, prev) as { position: number } | undefined)?.position ?? Infinity) < position;
    if (!isAfter) return "stands before the event that it follows";
    const isNext = seq === 1 || before === undefined || (before.run === run && before.seq === seq - 1);
    // A device may number wrongly: that was seen when it came, and a row that was changed since is not marked.
    if (!isNext && !(JSON.parse(flags) as LeafFlag[]).includes("mismatch")) {
      return "follows an event that is not the one before it in its run";
    }
    return null;
  };
  return {
    /** Position of the decision in the log by which the row's bytes are gone, or null. */
    decisionOver: (row: Row): number | null => {
      if (row.type !== "event" || row.bytes.length > 0) return null;
      const noted = decisionOf.get(row.position) as { decision: number } | undefined;
      if (noted === undefined) return null;
      const named = eventsNamedBy(noted.decision);
      return named.has(row.position) ? noted.decision : null;
    },
    /** What is wrong with the row's bytes or place, or null. */
    place: (row: Row, decision: number | null): string | null => {
      // What its bytes said is gone; its place is checked as ever.
      if (decision !== null) return follows(row);
      if (row.type === "event" || row.type === "term" || signedBy[row.type] !== undefined) {
        if (sha256Hex(row.bytes) !== row.hash) return "has bytes that do not match its hash";
      }
      if (row.type !== "event") return null;
      return saysItsPlace(row) ?? follows(row);
    },
    /** What is wrong with the row's own signature, or null. */
    signature: ({ type, device, run, seq, prev, hash, signature }: Row): string | null => {
      const messageOf = signedBy[type];
      if (messageOf !== undefined) {
        return signature !== null && isSignedBy(rootKey, messageOf(hash), signature)
          ? null
          : "is not signed by the workspace";
      }
      if (signature === null) return null;
      const known = keyOf.get(device) as { publicKey: string } | undefined;
      if (known === undefined) return "comes from a device that is not known";
      const message = batchMessage({ workspace, device, run, seq, prev, hash });
      return isSignedBy(known.publicKey, message, signature) ? null : "has a signature that does not verify";
    },
    /** Whether the row is signed, itself or by the event that goes on from it in its run. */
    isSigned: ({ type, device, run, seq, hash, signature }: Row): boolean =>
      type !== "event" || signature !== null || follower.get(device, run, seq + 1, hash) !== undefined,
  };
}

/** Leaves that the workspace signs, each for its purpose. */
const signedBy: Partial<Record<LeafType, (hash: string) => Uint8Array>> = {
  certificate: dayMessage,
  expiry: expiryMessage,
};

const sha256Hex = (bytes: Uint8Array): string => digest("sha256", bytes);

// What the bytes say of their place was compared when they came; a row that was changed since says something else.
function saysItsPlace({ bytes, flags, device, run, seq, prev, id }: Row): string | null {
  const read = readEvent(bytes);
  const marked = JSON.parse(flags) as LeafFlag[];
  if ((read.ok ? read.value.id : null) !== id) return "has another offline id than its bytes say";
  if (!read.ok || marked.includes("mismatch")) return null;
  const { value } = read;
  const same = value.device === device && value.run === run && value.seq === seq && predecessor(value) === prev;
  return same ? null : "stands at another place than its bytes say";
}
