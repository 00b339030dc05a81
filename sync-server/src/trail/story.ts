import { kindByName, msFromUtc, readEvent, type Envelope } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import { spanWords } from "./span-words.ts";
import { attemptsOfEvent, attemptsOfItem, linkAttempts, type PhoneAttempt } from "./attempts.ts";
import { createTrailReader } from "./reader.ts";
import type { TrailRow } from "./trail.ts";

/** One step of an item's way, from whichever side knows it. */
export interface StoryStep {
  /** RFC 3339 UTC; null for what keeps no time of its own and comes after all that does. */
  readonly at: string | null;
  /** Whose clock that is. */
  readonly clock: "phone" | "relay";
  readonly what:
    | "captured"
    | "no-link"
    | "tried"
    | "placed"
    | "duplicate"
    | "held"
    | "hole"
    | "refused"
    | "photo"
    | "judged"
    | "found"
    | "other";
  /** A sentence for a person, without the time. */
  readonly sentence: string;
}

export interface Story {
  readonly item: string;
  readonly device: string | null;
  /** Where it stands in the order log, null where it is not there. */
  readonly position: number | null;
  readonly capturedAt: string | null;
  readonly placedAt: string | null;
  /** From capture to the order log in milliseconds, null while it is not there. */
  readonly tookMs: number | null;
  readonly steps: readonly StoryStep[];
}

export interface LeafRow {
  readonly position: number;
  readonly term: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  readonly received: string;
  readonly flags: readonly string[];
  readonly event: Envelope | null;
  /** Position of the decision by which its bytes are gone; `event` is then what remains of it. */
  readonly expiredBy: number | null;
}

/** The leaf of an offline id (the first one, where a phone used it twice), or of a hash. */
export function findLeaf(relay: DatabaseSync, item: string): LeafRow | undefined {
  // `cross` keeps the order of the join: a device's hashes are in an index, all hashes are not.
  const row = relay
    .prepare(
      `select log.position, term, device, run, seq, hash, received, flags, coalesce(remains, bytes) as bytes,
              decision as expiredBy
         from log left join expired on expired.position = log.position
        where type = 'event' and log.position in (
          select position from log where id = ?1
          union select log.position from device
            cross join log on log.device = device.device and log.hash = ?1 and log.type = 'event')
        order by log.position limit 1`,
    )
    .get(item) as (Omit<LeafRow, "flags" | "event"> & { flags: string; bytes: Uint8Array }) | undefined;
  if (row === undefined) return undefined;
  const { flags, bytes, ...leaf } = row;
  const read = readEvent(bytes);
  return { ...leaf, flags: JSON.parse(flags) as string[], event: read.ok ? read.value : null };
}

/**
 * Where an item spent its time: the phone's attempts and the relay's trail joined in order. `judged` are the steps that
 * followers know of. Undefined where nobody has ever heard of the item.
 */
export function tellStory(relay: DatabaseSync, item: string, judged: readonly StoryStep[]): Story | undefined {
  const leaf = findLeaf(relay, item);
  const rows = createTrailReader(relay).about(item);
  const carried = leaf === undefined ? placeFromTrail(rows) : leaf;
  const device = carried?.device ?? rows.find((row) => row.device !== null)?.device ?? null;
  const tries = [
    ...(carried === undefined ? [] : attemptsOfEvent(relay, carried.device, carried.run, carried.seq)),
    ...attemptsOfItem(relay, item),
  ];
  if (leaf === undefined && rows.length === 0 && tries.length === 0) return undefined;
  const capturedAt = leaf?.event?.at ?? null;
  const placedAt = leaf?.received ?? null;
  const steps: StoryStep[] = [];
  if (capturedAt !== null && leaf?.event != null) {
    const label = kindByName(leaf.event.kind)?.label.en ?? leaf.event.kind;
    const where = leaf.event.store === null ? "" : ` at ${leaf.event.store}`;
    const sentence = `${label} captured${where} on ${leaf.event.rep}'s phone (${leaf.device}).`;
    steps.push({ at: capturedAt, clock: "phone", what: "captured", sentence });
  }
  if (device !== null && capturedAt !== null) {
    const until = placedAt ?? new Date(8.64e15).toISOString();
    steps.push(...outages(linkAttempts(relay, device, capturedAt, until)));
  }
  steps.push(...tries.map(trySentence));
  if (leaf !== undefined) steps.push(placedStep(leaf), ...expiredStep(leaf));
  steps.push(...rows.flatMap((row) => relaySteps(row)), ...judged);
  // Steps of one moment keep the order in which they are listed: capture, tries, relay, judgement.
  const moment = ({ at }: StoryStep) => at ?? "~";
  const ordered = steps.toSorted((a, b) => (moment(a) < moment(b) ? -1 : moment(a) > moment(b) ? 1 : 0));
  return {
    item,
    device,
    position: leaf?.position ?? null,
    capturedAt,
    placedAt,
    tookMs: capturedAt === null || placedAt === null ? null : msFromUtc(placedAt) - msFromUtc(capturedAt),
    steps: ordered,
  };
}

/** Before it is placed, the trail says which event it is. */
function placeFromTrail(rows: readonly TrailRow[]) {
  for (const { device, detail } of rows) {
    const { run, seq } = detail;
    if (device !== null && typeof run === "string" && typeof seq === "number") return { device, run, seq };
  }
  return undefined;
}

/** Failed tries in a row are one stretch without a link. */
function outages(attempts: readonly PhoneAttempt[]): StoryStep[] {
  const steps: StoryStep[] = [];
  let stretch: PhoneAttempt[] = [];
  const close = (end: PhoneAttempt | undefined) => {
    const [first] = stretch;
    if (first === undefined) return;
    const tries = stretch.length === 1 ? "1 try" : `${stretch.length} tries`;
    const found = end === undefined ? "" : `; one came after ${spanWords(msFromUtc(end.at) - msFromUtc(first.at))}`;
    const sentence = `No link to HQ: ${tries} failed${found}.`;
    steps.push({ at: first.at, clock: "phone", what: "no-link", sentence });
    stretch = [];
  };
  for (const attempt of attempts) {
    if (attempt.outcome === "failed" || attempt.outcome === "lost") stretch.push(attempt);
    else close(attempt);
  }
  close(undefined);
  return steps;
}

function trySentence({ at, outcome, code, bytes, tookMs }: PhoneAttempt): StoryStep {
  const how = {
    acknowledged: `acknowledged after ${Math.round(tookMs)} ms`,
    refused: `refused${code === null ? "" : ` (${code})`}`,
    lost: "no answer came back: the link was lost",
    opened: "the link opened",
    failed: "it could not be sent",
  }[outcome];
  return { at, clock: "phone", what: "tried", sentence: `The phone sent it (${bytes} bytes): ${how}.` };
}

/** The leaf is the relay's own note of where it stands. */
function placedStep({ received, position, flags }: LeafRow): StoryStep {
  const marks = flags.length === 0 ? "" : `, marked ${flags.join(", ")}`;
  return { at: received, clock: "relay", what: "placed", sentence: `In the order log at #${position}${marks}.` };
}

function expiredStep({ expiredBy, event }: LeafRow): StoryStep[] {
  if (expiredBy === null) return [];
  const left = event === null ? "" : ", all but what the books need";
  return [
    { at: null, clock: "relay", what: "other", sentence: `Its bytes are gone by decision #${expiredBy}${left}.` },
  ];
}

function relaySteps({ at, topic, detail }: TrailRow): StoryStep[] {
  const step = (what: StoryStep["what"], sentence: string): StoryStep[] => [{ at, clock: "relay", what, sentence }];
  const text = (field: string) => {
    const value = detail[field];
    return typeof value === "string" ? value : "";
  };
  const position = typeof detail["position"] === "number" ? `#${detail["position"]}` : "";
  switch (topic) {
    case "admission":
      switch (detail["answer"]) {
        case "placed":
        case "branch":
          return [];
        case "duplicate":
          return step("duplicate", `It came again and was known: still ${position}, counted once.`);
        case "held":
          return step("held", "Here, and waiting for an event before it that has not come.");
        case "hole":
          return step("hole", "The phone declared that it no longer holds it.");
      }
      return step("other", "The relay looked at it.");
    case "refusal":
    case "document.refused":
    case "photo.refused":
      return step("refused", `Refused: ${text("code")}.`);
    case "photo.arrived":
      return step("photo", `The photo's ${text("part") || "bytes"} arrived.`);
    case "document.stored":
      return step("other", "Stored.");
    case "document.conflict":
      return step("other", `A conflict was settled: ${text("reason") || text("rule")}.`);
    // Followers tell these themselves, with more.
    case "verdict":
    case "finding":
      return [];
    case "alert":
      return step("other", `Alert ${text("action")}: ${text("reason")}`);
    case "device.enrolled":
    case "device.revoked":
    case "device.contact":
    case "attempt":
    case "import":
    case "day.certified":
    case "expired":
    case "term":
    case "backup.verified":
    case "rescue":
    case "relay.started":
    case "relay.stopped":
      return step("other", topic);
  }
}
