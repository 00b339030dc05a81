import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { databaseFile, openForReading } from "../database/connection.ts";
import { verifyLog } from "../order-log/verify.ts";
import { createOrderLogReader } from "../order-log/sqlite-log.ts";
import { verifyPhotos } from "../photos/verify.ts";
import { leafBytes } from "../proof/leaf-record.ts";
import { readRunning } from "../running.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
import { folderWithData, workspaceIn } from "./open-for-reading.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";

export const backupVerified: Command = {
  name: "backup verified",
  positionals: "",
  does: "Says that a backup holds everything before a position. Only then phones forget what they keep for a restore.",
  options: { dir: { type: "string" }, at: { type: "string" }, copy: { type: "string" } },
  explains: {
    dir: "the relay's data folder",
    at: "the position: everything before it is in a backup that you checked",
    copy: "instead of --at: a copy of the whole data folder; its log and photos are checked here, one by one",
  },
  run: async (input) => {
    const dir = folderWithData(required(input, "dir"));
    const at = optional(input, "at");
    const copy = optional(input, "copy");
    if ((at === undefined) === (copy === undefined)) throw new BadUsage("Give either --at or --copy.");
    const position = copy === undefined ? positionOf(at ?? "") : await checkedCopy(dir, path.resolve(copy));
    const running = readRunning(dir);
    if (running !== null) {
      print(JSON.stringify(await askRelay(running, "/v1/operator/backup", { position })));
      return 0;
    }
    const folder = await openFolderForWork(dir);
    try {
      if (!(await folder.writer.run("verifyBackup", { position, by: "operator" }))) {
        throw new Refused({ code: "backup.position", detail: String(position) });
      }
      print(JSON.stringify({ position }));
      return 0;
    } finally {
      await folder.close();
    }
  },
};

function positionOf(at: string): number {
  const position = Number(at);
  if (!/^\d+$/.test(at) || !Number.isSafeInteger(position)) throw new BadUsage("--at is a position of the order log.");
  return position;
}

/** Answers how far the copy reaches, once it is found whole and of this log. */
async function checkedCopy(dir: string, copy: string): Promise<number> {
  if (!existsSync(databaseFile(copy))) throw new BadUsage(`${copy} holds no relay's data.`);
  if (isSameFile(databaseFile(dir), databaseFile(copy)))
    throw new BadUsage(`${copy} is the data folder itself, and no copy of it: what befalls one befalls both.`);
  const workspace = workspaceOfCopy(copy);
  if (workspace.id !== workspaceIn(dir).id)
    throw new Refused({ code: "backup.copy", detail: `it is of the workspace ${workspace.id}` });
  const copied = openForReading(copy);
  const own = openForReading(dir);
  try {
    const bad = verifyLog(copied, workspace, () => {});
    if (bad !== null) throw new Refused({ code: "backup.copy", detail: `row ${bad.position} ${bad.what}` });
    const head = await createOrderLogReader(copied).head();
    const leafIn = async (db: typeof own) => (await createOrderLogReader(db).read(Math.max(0, head - 1), 1))[0];
    const [theirs, ours] = [await leafIn(copied), await leafIn(own)];
    const same =
      head === 0 ||
      (theirs !== undefined && ours !== undefined && Buffer.compare(leafBytes(theirs), leafBytes(ours)) === 0);
    if (!same) throw new Refused({ code: "backup.copy", detail: `its row ${head - 1} is another one` });
    const photos = await verifyPhotos(copied, copy, () => {});
    if ("what" in photos) throw new Refused({ code: "backup.copy", detail: `photo ${photos.photo} ${photos.what}` });
    return head;
  } finally {
    copied.close();
    own.close();
  }
}

/** Also by another path, a symbolic link or a hard link. */
function isSameFile(one: string, other: string): boolean {
  const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
  return a.dev === b.dev && a.ino === b.ino;
}

/** The workspace's key is in that file alone: nothing can be restored without it. */
function workspaceOfCopy(copy: string): ReturnType<typeof workspaceIn> {
  try {
    return workspaceIn(copy);
  } catch {
    throw new BadUsage(`${copy} has no workspace.json that can be read: a relay cannot be restored from it.`);
  }
}
