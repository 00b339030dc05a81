import { utcFromMs, dayIn, msFromUtc } from "@sampai/engine/core";
import { SILENT_MS } from "../boards/completeness.ts";
import type { BoardWorld } from "../boards/board.ts";
import { readDebts, type Debt } from "./debts.ts";
import { expectedToday } from "./expected.ts";

/** `needs-help`: it will not mend by itself: damaged records, a gap nobody fills, or events that the relay holds back. */
export type DeviceVerdict = "all-in" | "owing" | "silent" | "needs-help" | "revoked" | "never-heard";

/** One device of the fleet, with the numbers of its last claim. Times RFC 3339 UTC. */
export interface FleetRow {
  readonly device: string;
  readonly person: string;
  readonly name: string;
  readonly role: string;
  readonly territories: readonly string[];
  readonly verdict: DeviceVerdict;
  /** Why it is so, in a sentence. */
  readonly reason: string;
  readonly connected: boolean;
  readonly heardAt: string | null;
  readonly claimedAt: string | null;
  /** Events of today that are here, and that with what it owes; null before its first claim. */
  readonly received: number;
  readonly declared: number | null;
  readonly owed: { readonly events: number | null; readonly orders: number | null; readonly photos: number };
  readonly held: number;
  readonly damaged: number;
  readonly oldestUnsentAt: string | null;
  /** Queue depth at the last contacts, oldest first. */
  readonly queueTrend: readonly { readonly at: string; readonly events: number }[];
  readonly dirtyDocuments: number | null;
  readonly spentBytesToday: number | null;
  /** The phone's time minus the relay's at its last contact, in milliseconds. */
  readonly clockAheadMs: number | null;
  readonly app: string | null;
  readonly pack: number | null;
  readonly platform: string;
  readonly revokedAt: string | null;
}

/** Every device, those first that have waited longest with something unsent. */
export function readFleet(world: BoardWorld): readonly FleetRow[] {
  const { db, relay, masters, nowMs, zone, connected } = world;
  const day = dayIn(nowMs, zone);
  const expected = expectedToday(db, masters, day);
  const trend = db.prepare(
    "select at, events, ahead_ms from contact_seen where device = ? order by position desc limit 20",
  );
  const received = db.prepare("select count(*) as count from device_event where device = ? and day = ?");
  const about = relay.prepare("select role, platform from device where device = ?");
  const rows = readDebts(relay, db).map((debt): FleetRow => {
    const { device, person, claim } = debt;
    const contacts = trend.all(device) as { at: string; events: number; ahead_ms: number | null }[];
    const count = (received.get(device, day) as { count: number }).count;
    const { role, platform } = about.get(device) as { role: string; platform: string };
    const isConnected = connected.has(device);
    const heardAt = isConnected ? utcFromMs(nowMs) : debt.heardAt;
    const owner = masters.person(person);
    return {
      device,
      person,
      name: owner?.name ?? person,
      role,
      territories: owner?.territories ?? [],
      ...verdictOf(debt, heardAt, expected.get(person)?.isExpected === true, nowMs),
      connected: isConnected,
      heardAt,
      claimedAt: debt.claimedAt,
      received: count,
      declared: debt.events === null ? null : count + debt.events,
      owed: { events: debt.events, orders: debt.orders, photos: debt.photos },
      held: debt.held,
      damaged: claim?.damaged ?? 0,
      oldestUnsentAt: debt.oldestAt,
      queueTrend: contacts.toReversed().map(({ at, events }) => ({ at, events })),
      dirtyDocuments: claim?.dirty.length ?? null,
      spentBytesToday:
        claim === null || claim.spent.day !== day ? null : claim.spent.sentBytes + claim.spent.receivedBytes,
      clockAheadMs: contacts[0]?.ahead_ms ?? null,
      app: claim?.app ?? null,
      pack: claim?.pack ?? null,
      platform,
      revokedAt: debt.revokedAt,
    };
  });
  const age = ({ oldestUnsentAt }: FleetRow) => oldestUnsentAt ?? "~";
  return rows.toSorted((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : a.device < b.device ? -1 : 1));
}

function verdictOf(
  debt: Debt,
  heardAt: string | null,
  isExpected: boolean,
  nowMs: number,
): Pick<FleetRow, "verdict" | "reason"> {
  const { revokedAt, events, orders, claim, held } = debt;
  if (revokedAt !== null) return { verdict: "revoked", reason: "Revoked; what it sent before stays." };
  if (claim !== null && claim.damaged > 0) {
    return { verdict: "needs-help", reason: `${claim.damaged} records on the phone cannot be read.` };
  }
  if (held > 0 && events === 0) {
    return { verdict: "needs-help", reason: `${held} events wait for one that nobody has sent.` };
  }
  if (heardAt === null) return { verdict: "never-heard", reason: "Enrolled, and never heard since." };
  if (isExpected && nowMs - msFromUtc(heardAt) > SILENT_MS) {
    const owed = events === null || events === 0 ? "" : ` It held ${events} events then.`;
    return { verdict: "silent", reason: `Should be at work and is not heard.${owed}` };
  }
  if (events === null) return { verdict: "owing", reason: "It has not said yet what it holds." };
  if (events > 0) return { verdict: "owing", reason: `Owes ${events} events, ${orders ?? 0} of them orders.` };
  return { verdict: "all-in", reason: "Everything that it declared is here." };
}
