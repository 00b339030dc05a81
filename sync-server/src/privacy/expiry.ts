import { dayIn, sha256Hex, startOfDayMs, utcFromMs, utf8ToBytes, type Clock } from "@sampai/engine/core";
import { expiryMessage, type Refusal } from "@sampai/engine/wire";
import { err, ok, type Result } from "@sampai/engine/core";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { sqlOf, type Sql } from "../database/sql.ts";
import type { Writer } from "../database/writer.ts";
import { createFileBlobs } from "../photos/file-blobs.ts";
import type { Workspace } from "../workspace.ts";
import { aboutDevices, aboutPerson } from "./operations.ts";
import { FORGOTTEN } from "./remains.ts";
import { decisionText, EVENTS_AT_ONCE, type ExpiryDecision } from "../order-log/expiry-decision.ts";
import { leavePacks, type LeftPacks } from "./packs.ts";

/** What expiry needs of a relay, or of an opened data folder. */
export interface ExpiryOffice {
  readonly dir: string;
  readonly workspace: Workspace;
  readonly writer: Writer;
  readonly db: DatabaseSync;
  readonly clock: Pick<Clock, "wallMs">;
}

export interface ExpiryDone {
  /** Positions of the decisions in the order log; several where there was much, none where there was nothing. */
  readonly decisions: readonly number[];
  readonly events: number;
  readonly photos: number;
}

export type PersonForgotten = ExpiryDone & Pick<LeftPacks, "pack" | "packs">;

/**
 * Whether what came before this day may be removed: the day has begun, at the latest just now. A day to come takes along
 * what phones send while the command is typed, and nothing brings that back.
 */
export function hasBegun(day: string, zone: string, nowMs: number): boolean {
  return day <= dayIn(nowMs, zone);
}

/** Removes the bytes of events and photos that came before a day (`YYYY-MM-DD` in the workspace's zone). */
export function expireBefore(
  office: ExpiryOffice,
  request: {
    readonly before: string;
    readonly what: "events" | "photos" | "all";
    readonly reason: string;
    readonly by: string;
  },
): Promise<ExpiryDone> {
  const { before, what, reason, by } = request;
  const sql = sqlOf(office.db);
  const beginUtc = utcFromMs(startOfDayMs(before, office.workspace.zone));
  const events = (from: number) =>
    what === "photos"
      ? []
      : positions(
          sql(
            `select position from log where type = 'event' and received < ? and position >= ? and length(bytes) > 0
               order by position limit ${EVENTS_AT_ONCE}`,
          ).all(beginUtc, from),
        );
  const photos = () =>
    what === "events"
      ? []
      : ids(
          sql(
            `select distinct photo from photo where arrived < ? and blob not in (select blob from expired_photo)
               limit ${EVENTS_AT_ONCE}`,
          ).all(beginUtc),
        );
  return decide(office, { about: { before }, reason, by, unplaced: () => 0, more: () => false, events, photos });
}

/**
 * Forgets a person: bodies of events, photos, claims, attempts, name, entry in each pack. Devices are revoked before this.
 * The order log stays provable, and of orders the books keep what is not about the person. After a stop the same again
 * completes it.
 */
export async function forgetPerson(
  office: ExpiryOffice,
  request: { readonly person: string; readonly reason: string; readonly by: string },
): Promise<Result<PersonForgotten, Refusal>> {
  const { person, reason, by } = request;
  const sql = sqlOf(office.db);
  if (sql("select 1 from person where code = ?").get(person) === undefined)
    return err({ code: "person.unknown", detail: person.slice(0, 60) });
  const own = "(select device from device where person = ?)";
  const done = await decide(office, {
    about: { person },
    reason,
    by,
    unplaced: () => unplacedOf(sql, person),
    more: () => isRemembered(sql, person),
    events: (from) =>
      positions(
        sql(
          `select position from log where device in ${own} and type = 'event' and position >= ? and length(bytes) > 0
             order by position limit ${EVENTS_AT_ONCE}`,
        ).all(person, from),
      ),
    photos: () =>
      ids(
        sql(
          `select distinct photo from photo where person = ? and blob not in (select blob from expired_photo)
             limit ${EVENTS_AT_ONCE}`,
        ).all(person),
      ),
  });
  // Behind the decision: from it on no pack is issued with the person, so none can come in between.
  const left = await leavePacks(office, request);
  return ok({ ...done, ...left, decisions: [...done.decisions, ...left.decisions] });
}

/** Files of expired photos that a stop left behind. */
export async function removeExpiredFiles(office: ExpiryOffice): Promise<void> {
  const rows = office.db.prepare("select blob from expired_photo where removed = 0").all() as { blob: string }[];
  if (rows.length > 0)
    await removeFiles(
      office,
      rows.map(({ blob }) => blob),
    );
}

interface Plan {
  readonly about: ExpiryDecision["about"];
  readonly reason: string;
  readonly by: string;
  readonly unplaced: () => number;
  /** Whether the decision removes anything besides. */
  readonly more: () => boolean;
  /** The next positions from one on, ascending. */
  readonly events: (from: number) => number[];
  readonly photos: () => string[];
}

/** One signed decision for each stretch, and none where nothing is left to remove. */
async function decide(office: ExpiryOffice, plan: Plan): Promise<ExpiryDone> {
  const { workspace, writer } = office;
  const { about, reason, by } = plan;
  const decisions: number[] = [];
  let events = 0;
  let photos = 0;
  let from = 0;
  // Whoever asks again may do so because the first try was cut off.
  await removeExpiredFiles(office);
  for (;;) {
    const stretch = plan.events(from);
    const pictures = plan.photos();
    if (stretch.length === 0 && pictures.length === 0 && (decisions.length > 0 || !plan.more())) break;
    const text = decisionText({
      v: 1,
      workspace: workspace.id,
      by,
      reason,
      about,
      events: stretch,
      photos: pictures,
      unplaced: plan.unplaced(),
    });
    const signature = workspace.sign(expiryMessage(sha256Hex(utf8ToBytes(text))));
    const expired = await writer.run("expire", { text, signature });
    decisions.push(expired.decision);
    events += expired.events;
    photos += pictures.length;
    from = (stretch.at(-1) ?? from) + 1;
    await removeFiles(office, expired.blobs);
  }
  return { decisions, events, photos };
}

async function removeFiles({ dir, writer }: ExpiryOffice, blobs: readonly string[]): Promise<void> {
  if (blobs.length === 0) return;
  const files = createFileBlobs(path.join(dir, "blobs", "photos"));
  for (const blob of blobs) await files.remove(blob);
  await writer.run("expiredFilesRemoved", { blobs });
}

/** Whether anything stands about the person beside events and photos. What waits in quarantine is among it. */
function isRemembered(sql: Sql, person: string): boolean {
  const own = "(select device from device where person = ?1)";
  const tables = [
    ...aboutDevices.map((table) => `select 1 from ${table} where device in ${own}`),
    ...aboutPerson.map((table) => `select 1 from ${table} where person = ?1`),
    "select 1 from device where person = ?1 and platform <> ''",
    "select 1 from person where code = ?1 and (name <> ?2 or territories <> '[]')",
    // Forgotten by a version that did not list them: an import would bring them back.
    "select 1 where not exists (select 1 from forgotten where person = ?1)",
  ];
  return sql(`select exists (${tables.join(" union all ")}) as found`).get(person, FORGOTTEN)?.["found"] === 1;
}

function unplacedOf(sql: Sql, person: string): number {
  const own = "(select device from device where person = ?1)";
  const row = sql(
    `select (select count(*) from held where device in ${own}) + (select count(*) from quarantine where device in ${own}) as count`,
  ).get(person) as { count: number };
  return row.count;
}

const positions = (rows: unknown[]) => (rows as { position: number }[]).map(({ position }) => position);
const ids = (rows: unknown[]) => (rows as { photo: string }[]).map(({ photo }) => photo);
