import {
  documentId,
  err,
  ok,
  readingRules,
  type DocumentKind,
  type ReadingRules,
  type Replica,
  type Result,
} from "@sampai/engine";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import type { Refusal } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import { packsOf } from "../reference/stored-packs.ts";
import { OpenDocuments } from "./open-documents.ts";
import { createStoredDocuments, type ChangeRow, type DocumentRow } from "./stored-documents.ts";

/** A stored document as it is now, loaded beside whatever relay works on the same folder. */
export interface ReadDocument {
  readonly row: DocumentRow;
  readonly replica: Replica;
  readonly rules: ReadingRules;
  /** Stored changes by hash: what the relay knows of how each came. */
  readonly changes: ReadonlyMap<string, ChangeRow>;
}

/** Loads a document from a database that is open for reading. */
export async function readDocument(
  db: DatabaseSync,
  workspace: string,
  kind: DocumentKind,
  key: string,
): Promise<Result<ReadDocument, Refusal>> {
  await startAutomerge();
  const stored = createStoredDocuments(db);
  const row = stored.document(documentId(workspace, kind, key));
  if (row === undefined) return err({ code: "doc.unknown", detail: `${kind} ${key}` });
  const opened = await new OpenDocuments(stored, Number.MAX_SAFE_INTEGER, () => undefined).open(row);
  if (!opened.ok) return opened;
  const rules = { ...readingRules(packsOf(db).newest()), names: stored.names() };
  const changes = new Map(stored.changes(row.doc).map((change) => [change.hash, change]));
  return ok({ row, replica: opened.value.replica, rules, changes });
}
