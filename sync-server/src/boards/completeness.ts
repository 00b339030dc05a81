import { msFromUtc, utcFromMs } from "@sampai/engine/core";
import type { Debt } from "../followers/debts.ts";

/**
 * `all-in`: heard lately and owes nothing. `owing`: has said what it holds and HQ does not. `silent`: should be at work
 * and was not heard for a while, so that nothing is known of since. `off`: nobody expects anything of this person today.
 */
export type Standing = "all-in" | "owing" | "silent" | "off";

/** How far one person's figures can be believed. */
export interface Completeness {
  readonly standing: Standing;
  /** Nothing captured up to this moment is missing here; null where nothing at all is known. RFC 3339 UTC. */
  readonly completeTo: string | null;
  /** Nothing that was captured until this moment is missing: the phone is connected, owes nothing and sends nothing. */
  readonly isCurrent: boolean;
  /** Null: this person's devices have never said what they hold. */
  readonly owedEvents: number | null;
  readonly owedOrders: number | null;
  readonly owedPhotos: number;
  /** Events of the day that are here, and that together with what is owed. */
  readonly received: number;
  readonly declared: number | null;
  /** RFC 3339 UTC; null: never. */
  readonly heardAt: string | null;
  readonly oldestUnsentAt: string | null;
}

/** A phone not heard for this long says nothing of its person's day while another of the same person does. */
const IN_USE_MS = 24 * 3_600_000;

/** Nobody is called silent before this much time without a word. */
export const SILENT_MS = 2 * 3_600_000;

export function completenessOf(input: {
  /** Of all devices of one person. */
  readonly debts: readonly Debt[];
  /** Devices with an open connection now, and since when: RFC 3339 UTC. */
  readonly connected: ReadonlyMap<string, string>;
  /** How long a connection can stay open after its last byte: of one that is open, this much may be missing. */
  readonly longestSilenceMs: number;
  /** Whether this person should be at work: stops are still to be visited, or the day was begun and not ended. */
  readonly expected: boolean;
  /** Events of the day that are here. */
  readonly received: number;
  readonly nowMs: number;
}): Completeness {
  const { connected, longestSilenceMs, expected, received, nowMs } = input;
  const debts = input.debts.filter(({ revokedAt }) => revokedAt === null);
  const claimed = debts.filter(({ events }) => events !== null);
  const owedEvents = claimed.length === 0 ? null : sum(claimed.map(({ events }) => events ?? 0));
  const owedOrders = claimed.length === 0 ? null : sum(claimed.map(({ orders }) => orders ?? 0));
  const aliveAt = utcFromMs(nowMs - longestSilenceMs);
  // A phone that has just come back has said nothing before its claim: what it holds is as unknown as before.
  const isHere = ({ device, claimedAt }: Debt) => {
    const since = connected.get(device);
    return since !== undefined && claimedAt !== null && claimedAt >= since;
  };
  const heardAt = debts
    .map((debt) => (isHere(debt) ? latest(debt.heardAt, aliveAt) : debt.heardAt))
    .reduce(latest, null);
  const inUse = claimed.filter(
    (debt) => isHere(debt) || (debt.heardAt !== null && nowMs - msFromUtc(debt.heardAt) < IN_USE_MS),
  );
  // Whoever is connected and has sent nothing for a while has nothing to send.
  const isIdle = (debt: Debt) =>
    isHere(debt) && !debt.isBehind && (debt.lastReceivedAt === null || debt.lastReceivedAt <= aliveAt);
  const reach = (debt: Debt) => {
    if (debt.isBehind) return debt.lastCapturedAt;
    const known = latest(debt.claimedAt, debt.lastCapturedAt);
    return isIdle(debt) ? latest(known, aliveAt) : known;
  };
  const oldestUnsentAt = debts.map(({ oldestAt }) => oldestAt).reduce(earliest, null);
  const owes = owedEvents !== null && owedEvents > 0;
  const isQuiet = heardAt === null || nowMs - msFromUtc(heardAt) > SILENT_MS;
  return {
    // Who owes and is not heard any more is silent too: what was owed is known, what came since is not.
    standing: expected && isQuiet ? "silent" : owes ? "owing" : expected || received > 0 ? "all-in" : "off",
    completeTo: owes
      ? oldestUnsentAt
      : inUse.length > 0
        ? leastOf(inUse.map(reach))
        : claimed.map(reach).reduce(latest, null),
    isCurrent: !owes && inUse.length > 0 && inUse.every(isIdle),
    owedEvents,
    owedOrders,
    owedPhotos: sum(debts.map(({ photos }) => photos)),
    received,
    declared: owedEvents === null ? null : received + owedEvents,
    heardAt,
    oldestUnsentAt,
  };
}

export interface TopLine {
  /** RFC 3339 UTC: of those who are heard, nothing captured before it is missing; null where that is not known. */
  readonly completeTo: string | null;
  readonly owing: {
    readonly reps: number;
    readonly events: number;
    readonly orders: number;
    readonly photos: number;
  };
  readonly silent: {
    readonly reps: number;
    /** When the one longest silent was last heard; null where one was never heard. */
    readonly since: string | null;
    readonly codes: readonly string[];
  };
  readonly allIn: number;
  readonly sentence: string;
}

/** One line over all rows. It speaks for those who are heard and names those who are not. */
export function topLine(
  rows: readonly { readonly key: string; readonly completeness: Completeness }[],
  zone: string,
): TopLine {
  const of = (standing: Standing) => rows.filter(({ completeness }) => completeness.standing === standing);
  const owing = rows.filter(({ completeness }) => (completeness.owedEvents ?? 0) > 0);
  const silent = of("silent");
  const heard = [...of("all-in"), ...of("owing")];
  const isUnknown = heard.some(({ completeness }) => completeness.completeTo === null);
  const completeTo = isUnknown ? null : heard.map(({ completeness }) => completeness.completeTo).reduce(earliest, null);
  const orders = sum(owing.map(({ completeness }) => completeness.owedOrders ?? 0));
  const events = sum(owing.map(({ completeness }) => completeness.owedEvents ?? 0));
  const wasNeverHeard = silent.some(({ completeness }) => completeness.heardAt === null);
  const since = wasNeverHeard ? null : silent.map(({ completeness }) => completeness.heardAt).reduce(earliest, null);
  const parts = [
    heard.length === 0
      ? "Nobody at work has been heard"
      : completeTo === null
        ? "Not known how complete"
        : `Complete to ${timeIn(completeTo, zone)}`,
  ];
  if (owing.length > 0) {
    const what = orders > 0 ? counted(orders, "order", "orders") : counted(events, "event", "events");
    parts.push(`${counted(owing.length, "rep owes", "reps owe")} ${what}`);
  }
  if (silent.length > 0) {
    const when = since === null ? "" : ` since ${timeIn(since, zone)}`;
    parts.push(`${counted(silent.length, "rep", "reps")} not heard${when} — unknown`);
  }
  return {
    completeTo,
    owing: {
      reps: owing.length,
      events,
      orders,
      photos: sum(rows.map(({ completeness }) => completeness.owedPhotos)),
    },
    silent: { reps: silent.length, since, codes: silent.map(({ key }) => key) },
    allIn: of("all-in").length,
    sentence: `${parts.join("; ")}.`,
  };
}

const timeIn = (utc: string, zone: string) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(msFromUtc(utc));
const counted = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const latest = (a: string | null, b: string | null) => (a === null || (b !== null && b > a) ? b : a);
/** Null where one of them is. */
const leastOf = (moments: readonly (string | null)[]) =>
  moments.includes(null) ? null : moments.reduce(earliest, null);
const earliest = (a: string | null, b: string | null) => (a === null || (b !== null && b < a) ? b : a);
