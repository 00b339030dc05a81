import * as A from "@automerge/automerge/slim";
import { authorshipOf, documentId, isDocumentKind, readAuthor } from "@sampai/engine";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import type { DatabaseSync } from "node:sqlite";
import { readChunks } from "./change-header.ts";
import { loadChunks } from "./open-documents.ts";
import { createStoredDocuments, type ChangeRow, type StoredDocuments } from "./stored-documents.ts";

/** A document that is not as it was written. `change` is the position of the change at fault, null where it is none. */
export interface BadDocument {
  readonly document: string;
  readonly change: number | null;
  readonly what: string;
}

const PAGE = 200;

/**
 * Every document, one in memory at a time: each change is the one that its hash, author and place say; all of them load
 * and end at the heads that the index has; the snapshot is what its changes make. Also the stream's positions, gapless.
 */
export async function verifyDocuments(
  db: DatabaseSync,
  workspace: string,
  progress: (documents: number) => void,
): Promise<BadDocument | { readonly documents: number }> {
  await startAutomerge();
  const stored = createStoredDocuments(db);
  const page = db.prepare("select doc, kind, key, heads, last from document where doc > ? order by doc limit ?");
  let documents = 0;
  for (let after = ""; ;) {
    const rows = page.all(after, PAGE) as unknown as DocumentIndexRow[];
    for (const row of rows) {
      // One short transaction for each document: a relay that works on goes on, and this one is seen at one moment.
      db.exec("begin");
      try {
        const now = page.all(after, 1)[0] as unknown as DocumentIndexRow | undefined;
        const fault = readableFault(() => faultOf(stored, workspace, now?.doc === row.doc ? now : row));
        if (fault !== null) return { document: `${row.kind} ${row.key}`, ...fault };
      } finally {
        db.exec("rollback");
      }
      after = row.doc;
      documents += 1;
    }
    progress(documents);
    if (rows.length < PAGE) break;
  }
  return gapIn(db) ?? { documents };
}

interface DocumentIndexRow {
  readonly doc: string;
  readonly kind: string;
  readonly key: string;
  readonly heads: string;
  readonly last: number;
}

type Fault = Omit<BadDocument, "document">;
const fault = (what: string, change: number | null = null): Fault => ({ what, change });

/** A row whose JSON no longer reads is a finding like any other, not the end of the walk. */
function readableFault(find: () => Fault | null): Fault | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof SyntaxError) return fault("has a row that cannot be read");
    throw error;
  }
}

function faultOf(stored: StoredDocuments, workspace: string, row: DocumentIndexRow): Fault | null {
  const { doc, kind, key } = row;
  // A kind that this version does not know was stored by a newer one, which verifies it.
  if (isDocumentKind(kind) && documentId(workspace, kind, key) !== doc) return fault("has an id that is not its key's");
  const changes = stored.changes(doc);
  const chunks = stored.bytesSince(doc, 0);
  for (const [index, change] of changes.entries()) {
    const what = changeFault(change, chunks[index]?.bytes ?? new Uint8Array());
    if (what !== null) return fault(what, change.position);
  }
  if (changes.at(-1)?.position !== row.last) return fault("has another last change than its index says");
  const heads = headsAfter(changes, Infinity);
  if (!same(heads, JSON.parse(row.heads) as string[])) return fault("has other heads than its index says");
  if (
    !loads(
      chunks.map(({ bytes }) => bytes),
      heads,
    )
  )
    return fault("does not load from its changes");
  const snapshot = stored.snapshot(doc);
  if (snapshot === undefined) return null;
  const then = headsAfter(changes, snapshot.through);
  const isSame = same(then, snapshot.heads) && loads([snapshot.bytes], then);
  return isSame ? null : fault("has a snapshot that is not what its changes make");
}

function changeFault(change: ChangeRow, bytes: Uint8Array): string | null {
  const read = readChunks(bytes);
  const chunk = read.ok && read.value.chunks.length === 1 ? read.value.chunks[0] : undefined;
  if (chunk?.type !== "change") return "cannot be read";
  const { hash, actor, seq, startOp, maxOp, deps, message } = chunk.header;
  if (hash !== change.hash) return "has bytes that do not match its hash";
  const isSame =
    actor === change.actor &&
    seq === change.seq &&
    startOp === change.startOp &&
    maxOp === change.maxOp &&
    same(deps, change.deps) &&
    authorshipOf(chunk.header).at === change.at &&
    isBy(change, message);
  return isSame ? null : "says something else than its index";
}

/** What a change says of its author itself. One without a message was judged by the connection that brought it. */
function isBy(change: ChangeRow, message: string): boolean {
  const said = readAuthor(message);
  return said === null || (said.by === change.by && said.role === change.role && said.device === change.device);
}

function headsAfter(changes: readonly ChangeRow[], through: number): string[] {
  const until = changes.filter(({ position }) => position <= through);
  const followed = new Set(until.flatMap(({ deps }) => deps));
  return until.map(({ hash }) => hash).filter((hash) => !followed.has(hash));
}

function loads(chunks: readonly Uint8Array[], heads: readonly string[]): boolean {
  const replica = loadChunks(chunks);
  if (replica === null) return false;
  const isWhole = same(A.getHeads(replica), heads);
  A.free(replica);
  return isWhole;
}

const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one) => b.includes(one));

function gapIn(db: DatabaseSync): BadDocument | null {
  const { count, next } = db
    .prepare("select count(*) as count, coalesce(max(position) + 1, 0) as next from change")
    .get() as { count: number; next: number };
  return count === next
    ? null
    : { document: "the stream of changes", change: null, what: `has ${count} changes up to position ${next}` };
}
