import * as A from "@automerge/automerge/slim";
import { authorshipOf, type Authorship } from "./authorship.ts";
import { readEdits, type WrittenField } from "./change-edits.ts";
import type { DocumentKind, FieldExplanation } from "./documents.ts";
import type { Replica } from "./genesis.ts";
import { explainField, viewOf, type ReadingRules } from "./view.ts";

/** One change of a document: who, when, and which fields. Empty `edits`: the document's own beginnings. */
export interface HistoryEntry extends Authorship {
  readonly edits: readonly WrittenField[];
}

/** What happened to a document, each change after those it was written on; of one field (and row) where told. */
export function historyOf(replica: Replica, kind: DocumentKind, field?: string, row?: string): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const bytes of A.getAllChanges(replica)) {
    const change = A.decodeChange(bytes);
    const read = readEdits(kind, change);
    const edits = read.ok ? read.value : [];
    const wanted = edits.filter(
      (edit) => (field === undefined || edit.field === field) && (row === undefined || edit.row === row),
    );
    if (field === undefined || wanted.length > 0) entries.push({ ...authorshipOf(change), edits: wanted });
  }
  return entries;
}

/** Every field over which somebody disagrees, with winner, losers and the reason. */
export function conflictsOf(replica: Replica, kind: DocumentKind, rules: ReadingRules): readonly FieldExplanation[] {
  return viewOf(replica, kind, rules).conflicts.map((where) => {
    // A field's name has no slash; a row's key may have some.
    const slash = where.indexOf("/");
    const [field, row] = slash < 0 ? [where, null] : [where.slice(0, slash), where.slice(slash + 1)];
    return explainField(replica, kind, rules, field, row);
  });
}
