import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

/** One file of a stock folder: the whole document, or changes after it. */
export interface NodefsFile {
  /** Below the folder, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface NodefsDocument {
  readonly doc: string;
  /** Snapshots first. */
  readonly files: readonly NodefsFile[];
  /** Files that were not read, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** A document id as automerge-repo writes it: base58, so that no path leaves its folder. */
const DOCUMENT = /^[1-9A-HJ-NP-Za-km-z]{20,40}$/;
const CHUNK = /^[0-9a-f]{64}$/;
const KINDS = ["snapshot", "incremental"] as const;
/** A file larger than this is no store, visit or plan. */
const FILE_BYTES = 4_194_304;

/**
 * The documents of a folder of `@automerge/automerge-repo-storage-nodefs` 2.5: `ID[0:2]/ID[2:]/snapshot|incremental/HASH`.
 * Only names of that form are opened, and no link is followed.
 */
export async function* readNodefsFolder(folder: string): AsyncGenerator<NodefsDocument> {
  for (const first of await folders(folder)) {
    if (first.length !== 2) continue;
    for (const rest of await folders(path.join(folder, first))) {
      const doc = first + rest;
      if (!DOCUMENT.test(doc)) continue;
      const files: NodefsFile[] = [];
      const skipped: { name: string; reason: string }[] = [];
      for (const kind of KINDS) {
        const below = path.join(folder, first, rest, kind);
        for (const entry of await entriesOf(below)) {
          const name = path.join(first, rest, kind, entry.name);
          if (!entry.isFile() || !CHUNK.test(entry.name)) {
            skipped.push({ name, reason: "no file that automerge-repo writes" });
            continue;
          }
          const file = path.join(below, entry.name);
          if ((await stat(file)).size > FILE_BYTES) skipped.push({ name, reason: `larger than ${FILE_BYTES} bytes` });
          else files.push({ name, bytes: new Uint8Array(await readFile(file)) });
        }
      }
      if (files.length > 0 || skipped.length > 0) yield { doc, files, skipped };
    }
  }
}

/** Makes the folder. It MUST be new or empty, so that nothing in it can lead elsewhere. False where it is not. */
export async function makeNodefsFolder(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  return (await readdir(folder)).length === 0;
}

/** Writes one document as automerge-repo does: one snapshot, named by the hash of its heads. */
export async function writeNodefsDocument(
  folder: string,
  doc: string,
  heads: readonly string[],
  bytes: Uint8Array,
): Promise<void> {
  if (!DOCUMENT.test(doc)) throw new Error(`${doc} is no document id`);
  const below = path.join(folder, doc.slice(0, 2), doc.slice(2), "snapshot");
  await mkdir(below, { recursive: true });
  const name = createHash("sha256").update(heads.join("")).digest("hex");
  await writeFile(path.join(below, name), bytes, { flag: "wx" });
}

async function folders(folder: string): Promise<string[]> {
  const entries = await entriesOf(folder);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}
