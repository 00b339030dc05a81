import { dayIn, utcFromMs } from "@sampai/engine/core";
import { mkdir, readdir, stat } from "node:fs/promises";
import { removeUnfinished, unfinishedFile } from "./arrival.ts";
import type { UploadRow } from "./operations.ts";
import type { PhotoRoom } from "./room.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** While the relay works, files that no row names are left alone for so long: their row may be on its way. */
const GRACE_MS = HOUR_MS;

/**
 * Brings files and rows in line: complete uploads without a link are verified and linked, expired ones thrown away,
 * files that no row names for longer than `graceMs` removed. What a row names is never removed. Answers what it did.
 */
async function reconcile(
  room: PhotoRoom,
  graceMs: number,
): Promise<{ linked: number; expired: number; removed: number }> {
  const { db, writer, clock, limits, uploads, blobs, arrival } = room;
  const nowMs = clock.wallMs();
  const before = utcFromMs(nowMs - limits.expiryMs);
  const done = { linked: 0, expired: 0, removed: 0 };
  await mkdir(uploads, { recursive: true });
  const open = db.prepare("select * from photo_upload where arrived is null order by created limit 10000").all();
  for (const row of open as unknown as UploadRow[]) {
    const held = await sizeOf(unfinishedFile(uploads, row.upload));
    // Complete, or moved already and only its row is missing.
    if (held === row.size || (held === undefined && row.part === "original")) {
      if ((await arrival.finish(row.upload)) === null) done.linked += 1;
    } else if (row.created < before || held === undefined) {
      await writer.run("photoDropped", { upload: row.upload, code: "expired" });
      await removeUnfinished(uploads, row.upload);
      done.expired += 1;
    }
  }
  const uploadOf = db.prepare("select arrived from photo_upload where upload = ?");
  for (const name of await readdir(uploads)) {
    const upload = name.replace(/\.json$/, "");
    const row = uploadOf.get(upload) as { arrived: string | null } | undefined;
    if (row !== undefined && row.arrived === null) continue;
    const written = await stat(unfinishedFile(uploads, name)).catch(() => undefined);
    if (row === undefined && nowMs - (written?.mtimeMs ?? nowMs) < graceMs) continue;
    await removeUnfinished(uploads, upload);
    done.removed += 1;
  }
  // Named by a link, or about to be: an upload counts as open until its link stands.
  const named = db.prepare(
    `select 1 from photo where blob = ?1
     union select 1 from photo_upload where photo = ?2 and arrived is null`,
  );
  for await (const { name, writtenMs } of blobs.list()) {
    const photo = /([0-9a-f-]{36})\.\w+\.\w+$/.exec(name)?.[1] ?? "";
    if (nowMs - writtenMs < DAY_MS) continue;
    await arrival.alone(photo, async () => {
      if (named.get(name, photo) !== undefined) return;
      await blobs.remove(name);
      done.removed += 1;
    });
  }
  await writer.run("photoForget", { before, dayBefore: dayIn(nowMs - limits.expiryMs, room.zone) });
  return done;
}

/** Reconciles once now and then every hour. The answer stops it. */
export async function startUpkeep(room: PhotoRoom): Promise<() => Promise<void>> {
  let cancel: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const round = async (graceMs: number) => {
    const done = await reconcile(room, graceMs);
    if (done.expired + done.removed + done.linked > 0) room.note("photos were brought in line", done);
  };
  const hourly = async () => {
    try {
      await round(GRACE_MS);
    } catch (error) {
      room.note("photos could not be brought in line", { error: String(error) });
    }
    next();
  };
  const next = () => {
    if (stopped) return;
    cancel = room.clock.after(HOUR_MS, () => {
      running = hourly();
    });
  };
  // Nobody is uploading yet, so no row is on its way.
  await round(0);
  next();
  return async () => {
    stopped = true;
    cancel();
    await running;
    room.decoder.close();
  };
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
