import * as A from "@automerge/automerge/slim";
import { concatBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { limits } from "../wire/limits.ts";
import type { Role } from "../wire/messages.ts";
import { authorMessage, type Author } from "./authorship.ts";
import { candidatesOf, containerOf } from "./candidates.ts";
import { goesBack } from "./change-edits.ts";
import type { DocumentError, DocumentKind, FieldEdit, Scalar } from "./documents.ts";
import { mayEdit, misfit, misfitRow, ROWS_PER_COLUMN, type FieldDefinition } from "./field.ts";
import { upgradeReplica, type Replica } from "./genesis.ts";
import { documentKinds } from "./kinds.ts";
import { decide, type ReadingRules } from "./view.ts";

/** What a list of edits made of a replica. `bytes` is null where they changed nothing. */
export interface EditedReplica {
  readonly replica: Replica;
  readonly bytes: Uint8Array | null;
  readonly hashes: readonly string[];
}

const EDITS_AT_ONCE = 2_000;
export type Write = { definition: FieldDefinition; row: string | null; edit: FieldEdit };

/**
 * Writes edits as one change. The only way to write a document, and it cannot break the shape rules: null is written,
 * nothing is deleted, no object is made, codes and names are whole strings, text is spliced, counters go up.
 * `atMs` is the time of the edit. On an error the replica was not touched.
 */
export function applyEdits(
  replica: Replica,
  kind: DocumentKind,
  edits: readonly FieldEdit[],
  author: Author & { readonly role: Role },
  atMs: number,
  rules: ReadingRules,
): Result<EditedReplica, DocumentError> {
  const checked = checkEdits(replica, kind, edits, author.role, rules);
  if (!checked.ok) return checked;
  const writes = checked.value;
  if (writes.length === 0) return ok({ replica, bytes: null, hashes: [] });
  const lacksContainer = writes.some(
    ({ definition, edit }) => definition.column && containerOf(replica, edit.field, true) === null,
  );
  const upgraded = lacksContainer ? upgradeReplica(replica, kind) : { replica, added: [], bytes: [] };
  const changed = A.change(upgraded.replica, { time: atMs, message: authorMessage(author) }, (root) => {
    for (const { row, edit } of writes) write(root, row, edit);
  });
  const change = A.getLastLocalChange(changed) as Uint8Array;
  const bytes = concatBytes(...upgraded.bytes, change);
  return ok({ replica: changed, bytes, hashes: [...upgraded.added, A.decodeChange(change).hash] });
}

/** Whether a change of this size may leave the device. */
export const fitsOneChange = (bytes: Uint8Array): boolean => bytes.length <= limits.changeBytes;

function write(root: Record<string, unknown>, row: string | null, edit: FieldEdit) {
  if ("insert" in edit) {
    A.splice(root, [edit.field], edit.at, edit.remove, edit.insert);
    return;
  }
  if ("increment" in edit) {
    (root[edit.field] as A.Counter).increment(edit.increment);
    return;
  }
  const value = typeof edit.set === "string" ? new A.ImmutableString(edit.set) : edit.set;
  const target = row === null ? root : (root[edit.field] as Record<string, unknown>);
  const property = row ?? edit.field;
  // Among concurrent values Automerge writes its own winner again as a deletion of the others, which no reader of a
  // field may take for an edit: null in between makes it a value that follows all of them.
  if (plain(target[property]) === edit.set && edit.set !== null) target[property] = null;
  target[property] = value;
}

const plain = (value: unknown) => (A.isImmutableString(value) ? String(value) : value);

/** Whether these edits may be made here, without making them: the writes they come to. */
export function checkEdits(
  replica: Replica,
  kind: DocumentKind,
  edits: readonly FieldEdit[],
  role: Role,
  rules: ReadingRules,
): Result<Write[], DocumentError> {
  if (edits.length > EDITS_AT_ONCE) return wrongValue(`more than ${EDITS_AT_ONCE} edits at once`);
  const writes = new Map<string, Write>();
  const lengths = new Map<string, number>();
  for (const [index, edit] of edits.entries()) {
    const { fields } = documentKinds[kind];
    const definition = Object.hasOwn(fields, edit.field) ? fields[edit.field] : undefined;
    if (definition === undefined) return wrongField(`there is no field ${edit.field.slice(0, 80)}`);
    const key = "key" in edit ? edit.key : undefined;
    const row = key ?? null;
    const where = row === null ? edit.field : `${edit.field}/${row}`;
    const wrongRow = misfitRow(definition, key);
    if (wrongRow !== null) return wrongField(`${where}: ${wrongRow}`);
    if ("set" in edit) {
      const wrong = misfit(definition, edit.set);
      if (wrong !== null) return wrongValue(`${where}: ${wrong}`);
      const present = candidatesOf(replica, edit.field, row);
      if (!mayEdit(definition, role, present.length === 0)) return wrongField(`${role} may not change ${where}`);
      const decided = decide(replica, kind, edit.field, row, rules);
      const current: Scalar = decided === null || decided === "merged" ? null : decided.winner.value;
      if (goesBack(definition, current, edit.set)) return wrongValue(`${where}: never goes back`);
      // Later edits of the same field replace earlier ones; what changes nothing and settles nothing is not written.
      // What only moves forward is settled already: the furthest value is the one.
      writes.delete(where);
      if (edit.set === current && (present.length < 2 || definition.monotone)) continue;
      if (row !== null && present.length === 0) {
        const container = containerOf(replica, edit.field, true);
        const rows = container === null ? 0 : A.getBackend(replica).length(container);
        const added = [...writes.values()].filter((other) => other.edit.field === edit.field).length;
        if (rows + added >= ROWS_PER_COLUMN) return wrongValue(`${edit.field}: more than ${ROWS_PER_COLUMN} rows`);
      }
      writes.set(where, { definition, row, edit });
      continue;
    }
    if (!mayEdit(definition, role, false)) return wrongField(`${role} may not change ${where}`);
    if ("increment" in edit) {
      if (definition.type !== "counter") return wrongField(`${where} is no counter`);
      if (!Number.isSafeInteger(edit.increment) || edit.increment < 0 || edit.increment > definition.max) {
        return wrongValue(`${where}: a counter only goes up, by whole numbers`);
      }
      if (edit.increment > 0) writes.set(`${where}#${index}`, { definition, row, edit });
      continue;
    }
    if (definition.type !== "text") return wrongField(`${where} is no collaborative text`);
    const length = lengths.get(edit.field) ?? textLength(replica, edit.field);
    const { at, remove, insert } = edit;
    const inside = [at, remove].every((n) => Number.isSafeInteger(n) && n >= 0) && at + remove <= length;
    if (!inside || !insert.isWellFormed())
      return wrongValue(`${where}: outside the text, which has ${length} characters`);
    if (length - remove + insert.length > definition.max) return wrongValue(`${where}: longer than ${definition.max}`);
    lengths.set(edit.field, length - remove + insert.length);
    if (remove > 0 || insert !== "") writes.set(`${where}#${index}`, { definition, row, edit });
  }
  return ok([...writes.values()]);
}

/** UTF-16 code units in a text of the document. */
export function textLength(replica: Replica, field: string): number {
  const backend = A.getBackend(replica);
  const found = backend.getWithType("_root", field);
  return found?.[0] === "text" ? backend.text(found[1]).length : 0;
}

const wrongField = (detail: string) => err({ code: "document.field", detail } as const);
const wrongValue = (detail: string) => err({ code: "document.value", detail } as const);
