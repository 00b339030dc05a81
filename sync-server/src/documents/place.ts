import { decide, documentId, type DocumentKind, type ReadingRules, type Scalar } from "@sampai/engine";
import type { OpenDocument } from "./open-document.ts";
import type { DocumentRegistry } from "./registry.ts";
import { placeFields, type DocumentRow } from "./stored-documents.ts";

export interface Place {
  readonly territory: string | null;
  readonly owner: string | null;
  /** The store whose territory this document takes as soon as that is known; null where it waits for none. */
  readonly waitsFor: string | null;
}

/**
 * Where a document belongs and whose it is, by its own fields after the conflict rules. A visit that names no territory
 * lies in its store's; a document that names nobody stays with whom it has, at first the person who made it.
 */
export function placeOf(
  open: OpenDocument,
  before: Pick<DocumentRow, "owner"> | null,
  maker: string | null,
  rules: ReadingRules,
  workspace: string,
  registry: DocumentRegistry,
): Place {
  const fields = placeFields(open.kind);
  const settled = (field: string) => text(settledValue(open, field, rules));
  const store = open.kind === "visit" ? settled("store") : null;
  const storeId = store === null ? null : documentId(workspace, "store", store);
  const ofStore = storeId === null ? null : (registry.get(storeId)?.territory ?? null);
  const territory = settled(fields.territory) ?? ofStore;
  return {
    territory,
    owner: settled(fields.owner) ?? before?.owner ?? maker,
    waitsFor: territory === null ? storeId : null,
  };
}

/** Fields whose edit can move a document. */
export function movesDocument(kind: DocumentKind, field: string): boolean {
  const { territory, owner } = placeFields(kind);
  return field === territory || field === owner || (kind === "visit" && field === "store");
}

function settledValue(open: OpenDocument, field: string, rules: ReadingRules): Scalar {
  const decision = decide(open.replica, open.kind, field, null, rules);
  return decision === null || decision === "merged" ? null : decision.winner.value;
}

const text = (value: Scalar): string | null => (typeof value === "string" && value !== "" ? value : null);
