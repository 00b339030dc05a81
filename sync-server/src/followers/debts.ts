import { claimSchema, type Claim } from "@sampai/engine/wire";
import { eventKinds } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";

/** What one device has said it holds and the relay does not. Nothing here is guessed: before its first claim all is null. */
export interface Debt {
  readonly device: string;
  readonly person: string;
  readonly revokedAt: string | null;
  /** RFC 3339 UTC: the last claim, and the last time that anything came. Null: never. */
  readonly claimedAt: string | null;
  readonly heardAt: string | null;
  /** When the last event that is here came, and when it was captured. Null: none is. */
  readonly lastReceivedAt: string | null;
  readonly lastCapturedAt: string | null;
  /** Events of it are in the log and not in the figures yet, because followers come after the log. */
  readonly isBehind: boolean;
  /** Events that its claim names and that are neither in the log nor declared lost; null before the first claim. */
  readonly events: number | null;
  readonly orders: number | null;
  /** Photos captured, by its claim or by the log, whose bytes are not here. */
  readonly photos: number;
  /** Capture time of the oldest thing it had not sent at its last claim, while it still owes. */
  readonly oldestAt: string | null;
  /** Events here that wait for one before them. */
  readonly held: number;
  readonly claim: Claim | null;
}

interface DeviceRow {
  device: string;
  person: string;
  revoked: string | null;
  at: string | null;
  claim: string | null;
}

/** Followers that are further behind than this may lack something of everybody. */
const BEHIND_ROWS = 2_000;

const orderKind = eventKinds.orderPlaced.name;

/**
 * Sets the claims against the log. A claim names the tip of every run, and a run is gapless: so what a device owes is the
 * distance from the last placed number to the tip, whatever acknowledgements were lost on the way.
 */
export function readDebts(relay: DatabaseSync, db: DatabaseSync): readonly Debt[] {
  const devices = relay
    .prepare(
      `select device.device, person, revoked, contact.at, contact.claim
         from device left join contact on contact.device = device.device order by device.device`,
    )
    .all() as unknown as DeviceRow[];
  const placed = relay.prepare(
    "select max(seq) as seq from log where device = ? and run = ? and type in ('event', 'hole')",
  );
  const behind = devicesBehind(relay, db);
  const held = relay.prepare("select count(*) as count from held where device = ?");
  const lastReceived = db.prepare(
    "select received, at from device_event where device = ? order by position desc limit 1",
  );
  const since = db.prepare("select count(*) as count from device_event where device = ? and position >= ?");
  const logHead = db.prepare("select log_head from contact_seen where device = ? order by position desc limit 1");
  const orders = db.prepare(
    "select count(*) as count from device_event where device = ? and position >= ? and kind = ?",
  );
  const newest = db.prepare(
    "select kind from device_event where device = ? and position < ? order by position desc limit ?",
  );
  const photosInLog = db.prepare(
    `select id from device_photo where device = ? and id not in (select id from photo_here)`,
  );
  const photoHere = db.prepare("select 1 from photo_here where id = ?");
  return devices.map(({ device, person, revoked, at, claim: text }) => {
    const claim = text === null ? null : readClaim(text);
    const last = lastReceived.get(device) as { received: string; at: string } | undefined;
    const base = {
      device,
      person,
      revokedAt: revoked,
      claimedAt: at,
      heardAt: later(at, last?.received ?? null),
      lastReceivedAt: last?.received ?? null,
      lastCapturedAt: last?.at ?? null,
      isBehind: behind === "all" || behind.has(device),
      held: (held.get(device) as { count: number }).count,
      claim,
    };
    const owedPhotos = new Set((photosInLog.all(device) as { id: string }[]).map(({ id }) => id));
    if (claim === null) return { ...base, events: null, orders: null, photos: owedPhotos.size, oldestAt: null };
    for (const { id } of claim.photosOwed) if (photoHere.get(id) === undefined) owedPhotos.add(id);
    const events = claim.tips.reduce((sum, { run, seq }) => {
      const { seq: known } = placed.get(device, run) as { seq: number | null };
      return sum + Math.max(0, seq - (known ?? 0));
    }, 0);
    const { log_head: head } = (logHead.get(device) as { log_head: number } | undefined) ?? { log_head: 0 };
    const ordersSince = (orders.get(device, head, orderKind) as { count: number }).count;
    const eventsSince = (since.get(device, head) as { count: number }).count;
    // Part of the queue may have been in the log already when it was claimed, its acknowledgement lost: the newest there.
    const unacknowledged = Math.max(0, claim.queue.events - (events + eventsSince));
    const known = (newest.all(device, head, unacknowledged) as { kind: string }[]).filter(
      ({ kind }) => kind === orderKind,
    ).length;
    const owedOrders = Math.min(events, Math.max(0, claim.queue.orders - known - ordersSince));
    return {
      ...base,
      events,
      orders: owedOrders,
      photos: owedPhotos.size,
      oldestAt: events > 0 ? claim.queue.oldestAt : null,
    };
  });
}

/** Devices of which the log holds events that the followers behind boards have not read. */
function devicesBehind(relay: DatabaseSync, db: DatabaseSync): ReadonlySet<string> | "all" {
  const { position } = db
    .prepare("select coalesce(min(position), 0) as position from follower where name in ('arrivals', 'board:today')")
    .get() as { position: number };
  const rows = relay
    .prepare("select device, type from log where position >= ? order by position limit ?")
    .all(position, BEHIND_ROWS) as { device: string; type: string }[];
  if (rows.length === BEHIND_ROWS) return "all";
  return new Set(rows.filter(({ type }) => type === "event").map(({ device }) => device));
}

/** Claims are stored without their attempts, which have a table of their own. */
function readClaim(text: string): Claim | null {
  const parsed = claimSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
