import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "../database/connection.ts";
import { defaultHeadFile } from "../database/head-file.ts";
import { verifyCertificates } from "../day/verify.ts";
import { verifyDevices } from "../devices/verify.ts";
import { verifyDocuments } from "../documents/verify.ts";
import { createOrderLogReader } from "../order-log/sqlite-log.ts";
import { verifyLog } from "../order-log/verify.ts";
import { verifyPhotos } from "../photos/verify.ts";
import { verifyTree } from "../proof/verify.ts";
import { verifyPacks } from "../reference/verify.ts";
import { verifyTrail } from "../trail/verify.ts";
import { missingSince, notedHead } from "./verify-head.ts";

/** What one part of a data folder was found to be. */
export interface Finding {
  readonly part: string;
  readonly sound: boolean;
  /** A sentence's end behind the part's name: `412 rows, all as they were written`, or the first bad row by name. */
  readonly says: string;
}

/** Told while a part is walked; `of` is 0 where nobody knows how much there is. */
export type Progress = (part: string, done: number, of: number) => void;

/**
 * Checks a data folder as far as it can be proved: the database file, devices, order log, hash tree and checkpoints,
 * trail, days, packs, documents and photos. Every part is walked in pages, whatever the others were found to be, so that
 * memory is bounded and the answer names the first bad row of each. Works beside a running relay. `headFile` stands
 * outside the folder and knows how far the relay had come: without it, nobody sees that the newest rows are gone.
 */
export async function verifyFolder(
  dir: string,
  workspace: { readonly id: string; readonly rootKey: string },
  progress: Progress,
  headFile: string = defaultHeadFile(dir),
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const noted = notedHead(headFile, workspace.id);
  const walk = async (part: string, check: (db: DatabaseSync) => Promise<string | Bad> | string | Bad) => {
    progress(part, 0, 0);
    let db: DatabaseSync | null = null;
    try {
      db = openForReading(dir);
      const found = await check(db);
      findings.push(
        typeof found === "string" ? { part, sound: true, says: found } : { part, sound: false, says: found.bad },
      );
    } catch (error) {
      // A damaged row can have any shape. Whatever a check stumbled over, the other parts are walked and it is told.
      const isDatabase = (error as { errcode?: unknown }).errcode !== undefined;
      const why = isDatabase ? (error as Error).message : `a row cannot be read (${String(error)})`;
      findings.push({ part, sound: false, says: `the database file is damaged here: ${why}` });
    } finally {
      db?.close();
    }
  };

  await walk("file", (db) => {
    const faults = db.prepare("pragma integrity_check(3)").all() as { integrity_check: string }[];
    const words = faults.map((fault) => fault.integrity_check.replaceAll(/\s+/g, " "));
    return words[0] === "ok"
      ? "the database's pages and indexes agree"
      : bad(`the database file is damaged: ${words.join("; ")}`);
  });
  await walk("head file", (db) => {
    if (noted === null) return `none at ${headFile}: whether the newest rows are missing cannot be told`;
    if ("unreadable" in noted) return bad(noted.unreadable);
    const missing = missingSince(db, noted);
    if (missing === null) return `everything that it noted is here: ${noted.log} rows of the order log`;
    return bad(`it noted more than is here. Missing are ${missing}: this is an older copy, or its end was cut off`);
  });
  await walk("devices", async (db) => {
    const found = verifyDevices(db, workspace);
    return "devices" in found
      ? `${found.devices} ${found.devices === 1 ? "device, with its" : "devices, each with its"} certificate`
      : bad(row(found.device, found));
  });
  await walk("order log", async (db) => {
    const total = await createOrderLogReader(db).head();
    const expired = new Map<number, number>();
    let walked = 0;
    const found = verifyLog(
      db,
      workspace,
      (position) => {
        walked = position;
        progress("order log", position, total);
      },
      (_position, decision) => expired.set(decision, (expired.get(decision) ?? 0) + 1),
    );
    if (found !== null) {
      const { position, others } = found;
      const more = others === 0 ? "" : `; ${others} more ${others === 1 ? "row is" : "rows are"} not as written`;
      return bad(`${row(`row ${position}`, found)}${more}`);
    }
    const gone = [...expired].map(([decision, rows]) => `; ${rows} rows expired by decision ${decision}`);
    return `${walked} rows, all as they were written${gone.join("")}`;
  });
  await walk("hash tree", (db) => {
    // Read before the tree is, which a relay that runs goes on growing.
    const { rows } = db.prepare("select coalesce(max(position) + 1, 0) as rows from log").get() as { rows: number };
    let covered = 0;
    const found = verifyTree(db, workspace, (position, size) => {
      covered = position;
      progress("hash tree", position, size);
    });
    if (found !== null) return bad(row(found.where, found));
    const open = rows <= covered ? "" : `; the newest ${rows - covered} rows of the log are under no checkpoint`;
    return `${covered} leaves, as every checkpoint signed them${open}`;
  });
  await walk("trail", (db) => {
    const { total } = db.prepare("select coalesce(max(position) + 1, 0) as total from trail").get() as {
      total: number;
    };
    let walked = 0;
    const found = verifyTrail(db, (position) => {
      walked = position;
      progress("trail", position, total);
    });
    return found === null ? `${walked} rows, all as they were written` : bad(row(`row ${found.position}`, found));
  });
  await walk("days", (db) => {
    const found = verifyCertificates(db);
    return "certificates" in found
      ? `${found.certificates} certificates, each listed as it was signed`
      : bad(row(`row ${found.position}`, found));
  });
  await walk("packs", async (db) => {
    const found = verifyPacks(db, workspace);
    if ("pack" in found) return bad(row(`pack ${found.pack}`, found));
    const gone = found.expired === 0 ? "" : `; ${found.expired} without a forgotten person, by decision`;
    return `${found.packs} packs, each as it was signed${gone}`;
  });
  await walk("documents", async (db) => {
    const { total } = db.prepare("select count(*) as total from document").get() as { total: number };
    const found = await verifyDocuments(db, workspace.id, (done) => progress("documents", done, total));
    if ("documents" in found) return `${found.documents} documents, each made of its changes`;
    return bad(row(found.change === null ? found.document : `${found.document}, change ${found.change},`, found));
  });
  await walk("photos", async (db) => {
    const { total } = db.prepare("select count(*) as total from photo").get() as { total: number };
    const found = await verifyPhotos(db, path.resolve(dir), (done) => progress("photos", done, total));
    if ("photo" in found) return bad(row(found.photo, found));
    const gone = found.expired === 0 ? "" : `; ${found.expired} expired by decision`;
    return `${found.photos} files, each with its hash${gone}`;
  });
  return findings;
}

interface Bad {
  readonly bad: string;
}

const bad = (says: string): Bad => ({ bad: says });
const row = (name: string, { what }: { readonly what: string }) => `${name} ${what}`;
