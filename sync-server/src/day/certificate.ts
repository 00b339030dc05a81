import {
  NAMED_AT_MOST,
  type CertificateReason,
  type DayCertificate,
  type DayStanding,
  type EventRange,
  type Tip,
} from "@sampai/engine/wire";

/** What is known of one person's day, over all devices of that person. */
export interface DayFacts {
  readonly closes: DayCertificate["closes"];
  /** Events of the day that have their place in the log; the closes are not counted. */
  readonly here: number;
  /** Events of the day captured after its last close, on the device that closed it. */
  readonly reopened: number;
  readonly photos: { readonly captured: number; readonly owed: readonly string[]; readonly lost: number };
  readonly devices: readonly DeviceFacts[];
  /** Events or closes of the day lost their bytes by a decision: what happened cannot be read again. */
  readonly expired: boolean;
}

export interface DeviceFacts {
  readonly device: string;
  /** The days, in the workspace's zone, on which it was enrolled and revoked. */
  readonly enrolledDay: string;
  readonly revokedDay: string | null;
  /**
   * The certificate that holds speaks for it and for the same closes, and names nothing of it missing. Being revoked since
   * then takes nothing back of what happened on the day.
   */
  readonly cleared: boolean;
  /** RFC 3339 UTC of its last claim; null: never. */
  readonly claimedAt: string | null;
  /** Whether it was heard since the relay's term began: before, nobody knows what the relay has lost of it. */
  readonly heardInTerm: boolean;
  /** Records that it cannot read, by its last claim, and by the certificate of its person's day before. */
  readonly damaged: number;
  readonly damagedBefore: number;
  readonly heads: readonly Tip[];
  /** What it has said it holds and the relay does not, and what is needed before the rest can be placed. */
  readonly missing: readonly EventRange[];
  /** Events here that wait for one before them. */
  readonly held: number;
  /** Events in quarantine, because the device is revoked. */
  readonly quarantined: number;
  /** Unfilled holes of the day. */
  readonly holes: readonly EventRange[];
  /** Whether events or closes of the day are its. */
  readonly took: boolean;
}

/** What a certificate says, without its number and date. */
export type DayStatement = Pick<
  DayCertificate,
  "standing" | "events" | "photos" | "closes" | "devices" | "missing" | "holes" | "damaged" | "except"
>;

/**
 * The admission rules for a person's day. Incomplete: anything is expected or held of devices that are not revoked.
 * Complete except: devices were revoked before the day was certified, or were not heard since the term began. Complete
 * with holes: unfilled holes or reported damage. Else complete. Devices that cannot have worked on the day are not spoken
 * of: one enrolled after it, or revoked before it with nothing outstanding.
 */
export function stateDay(day: string, facts: DayFacts): DayStatement {
  const devices = facts.devices.filter((device) => mayHaveWorked(device, day));
  const trusted = devices.filter(({ revokedDay }) => revokedDay === null);
  const missing = trusted.flatMap((device) => device.missing);
  const holes = devices.flatMap((device) => device.holes);
  const damaged = devices
    .map(({ device, damaged: now, damagedBefore }) => ({ device, records: now - damagedBefore }))
    .filter(({ records }) => records > 0);
  const except = devices
    .filter(({ revokedDay, cleared, heardInTerm }) => (revokedDay === null ? !heardInTerm : !cleared))
    .map(({ device, revokedDay, claimedAt }) => ({
      device,
      why: revokedDay === null ? ("unheard" as const) : ("revoked" as const),
      lastContact: claimedAt,
    }));
  const waiting = trusted.reduce((sum, { held }) => sum + held, 0);
  const { captured, owed, lost } = facts.photos;
  return {
    standing: standingOf(missing.length + waiting, except.length, holes.length + damaged.length),
    events: { here: facts.here, declared: countable(facts.here + waiting + sizeOf(missing) + sizeOf(holes)) },
    photos: { captured, owed: owed.length, lost, ids: owed.slice(0, NAMED_AT_MOST) },
    closes: facts.closes.slice(-NAMED_AT_MOST),
    devices: devices.slice(0, NAMED_AT_MOST).map(({ device, claimedAt, damaged: records, heads }) => ({
      device,
      claimedAt,
      damaged: records,
      heads: heads.slice(-NAMED_AT_MOST),
    })),
    missing: missing.slice(0, NAMED_AT_MOST),
    holes: holes.slice(0, NAMED_AT_MOST),
    damaged,
    except,
  };
}

function standingOf(missing: number, except: number, lost: number): DayStanding {
  if (missing > 0) return "incomplete";
  if (except > 0) return "complete-except";
  return lost > 0 ? "complete-with-holes" : "complete";
}

function mayHaveWorked(device: DeviceFacts, day: string): boolean {
  if (device.took || device.cleared) return true;
  if (device.enrolledDay > day) return false;
  const owes = device.missing.length > 0 || device.held > 0 || device.quarantined > 0;
  return device.revokedDay === null || device.revokedDay >= day || owes;
}

const sizeOf = (ranges: readonly EventRange[]) => ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);

// A device may announce a number up to 2^53 − 1 in each of its runs. The day is incomplete; how much is missing beyond
// the greatest count that a certificate can carry tells nobody more.
const countable = (events: number) => Math.min(events, Number.MAX_SAFE_INTEGER);

/** `wait`: a late device is still sending; better one certificate when it has sent all than one for each batch. */
export type Decision =
  | { readonly act: "issue"; readonly reason: CertificateReason }
  | { readonly act: "keep" }
  | { readonly act: "wait" };

/** A certificate is not taken back to *incomplete* before what is announced had this long to come. */
export const LATE_WAIT_MS = 60_000;

/**
 * Whether the certificate that holds still says what is so, `waitedMs` after that was first doubted. A new doubt of a
 * device (it was not heard since a restore, or reports damage) restates nothing: no part of the day has changed by it.
 */
export function decide(held: DayStatement | null, now: DayStatement, waitedMs: number): Decision {
  if (now.closes.length === 0) return { act: "keep" };
  if (held === null) return { act: "issue", reason: "closed" };
  if (hashesOf(held) !== hashesOf(now)) return { act: "issue", reason: "closed-again" };
  if (held.standing === "incomplete") {
    // What is missing changes with each batch: the next certificate is for when nothing is.
    if (now.standing === "incomplete") return { act: "keep" };
    return { act: "issue", reason: isGivenUp(held, now) ? "given-up" : "arrived" };
  }
  if (now.standing === "incomplete") {
    if (now.events.here === held.events.here) return { act: "keep" };
    return waitedMs < LATE_WAIT_MS ? { act: "wait" } : { act: "issue", reason: "late" };
  }
  if (now.events.here !== held.events.here || JSON.stringify(now.holes) !== JSON.stringify(held.holes))
    return { act: "issue", reason: "late" };
  const lifted = held.except.filter(({ device }) => !now.except.some((other) => other.device === device));
  if (lifted.some(({ why }) => why === "revoked")) return { act: "issue", reason: "reinstated" };
  if (lifted.length > 0) return { act: "issue", reason: "arrived" };
  const settled = ({ photos }: DayStatement) => photos.owed === photos.lost;
  return !settled(held) && settled(now) ? { act: "issue", reason: "photos" } : { act: "keep" };
}

const hashesOf = ({ closes }: DayStatement) => closes.map(({ hash }) => hash).join(" ");

/** Nobody waits any more for what was missing, though not all of it came: its device was revoked, or has lost it. */
function isGivenUp(held: DayStatement, now: DayStatement): boolean {
  const revoked = new Set(now.except.filter(({ why }) => why === "revoked").map(({ device }) => device));
  return held.missing.some(({ device }) => revoked.has(device)) || sizeOf(now.holes) > sizeOf(held.holes);
}

/** Everything of a certificate that is not about the day's facts. */
export type CertificateHead = Pick<
  DayCertificate,
  "workspace" | "rep" | "day" | "zone" | "term" | "number" | "reason" | "restates" | "issuedAt"
>;

/** The one way to write a certificate, so that the same facts give the same bytes. */
export function certificateText(head: CertificateHead, statement: DayStatement): string {
  const { workspace, rep, day, zone, term, number, reason, restates, issuedAt } = head;
  const { standing, events, photos, closes, devices, missing, holes, damaged, except } = statement;
  return JSON.stringify({
    v: 1,
    workspace,
    rep,
    day,
    zone,
    term,
    number,
    reason,
    restates,
    standing,
    events,
    photos,
    closes,
    devices,
    missing,
    holes,
    damaged,
    except,
    issuedAt,
  } satisfies DayCertificate);
}
