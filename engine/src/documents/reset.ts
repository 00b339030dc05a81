import * as A from "@automerge/automerge/slim";
import { msFromUtc } from "../core/clock.ts";
import { concatBytes } from "../core/hash.ts";
import type { Role } from "../wire/messages.ts";
import { refusalSentence, type Refusal } from "../wire/refusals.ts";
import type { Author } from "./authorship.ts";
import { readEdits, type WrittenField } from "./change-edits.ts";
import { readChunks } from "./chunk.ts";
import { forget, keepChunk } from "./chunk-keeping.ts";
import type { RelayState } from "./document-store.ts";
import type { DocumentKind, FieldEdit, NeedsYou } from "./documents.ts";
import { applyEdits, checkEdits, textLength } from "./edits.ts";
import { hasGenesis, type Replica } from "./genesis.ts";
import { documentKinds } from "./kinds.ts";
import { keys, type Entry, type Unsent } from "./local-index.ts";
import { isComplete, takeChunks } from "./replica-loading.ts";
import { summarize, type Draft, type Shelf } from "./shelf.ts";

export interface Reset {
  readonly shelf: Shelf;
  readonly author: Author & { readonly role: Role };
  readonly doc: string;
  /** Refused changes by hash. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  readonly relay: RelayState | "not-ours" | null;
}

/**
 * Takes one document back to what the relay holds, then brings the unsent changes forward: what the relay holds by now
 * is dropped, what was refused becomes *Needs you*, what still fits is kept byte by byte, and what was written on top
 * of a refused change is written again under a new actor with the time it was made at.
 */
export async function resetDocument({ shelf, author, doc, refusals, relay }: Reset): Promise<void> {
  const known = shelf.index.get(doc) as Entry;
  const entry = relay === "not-ours" ? { ...known, hidden: true } : known;
  const { kind, key } = entry;
  const draft = shelf.begin();
  const base = await baseOf(shelf, draft, doc, entry, refusals, relay === "not-ours" ? null : relay);
  let { replica } = base;
  let left = 0;
  // What stands behind a refused change was not judged itself: it is written again.
  const refused = new Map([...refusals].filter(([, { code }]) => code !== "change.dependencies"));
  const need = (edit: FieldEdit, refusal: Refusal, at: string) =>
    draft.addNeed({ doc, kind, key, edit, code: refusal.code, sentence: sentenceOf(kind, edit, refusal), at });

  for (const record of shelf.unsentOf(doc)) {
    if (A.hasHeads(replica, [...record.hashes])) {
      draft.dropUnsent(doc, record.number);
      continue;
    }
    const refusal = record.hashes.map((hash) => refused.get(hash)).find((found) => found !== undefined);
    const asItIs = refusal === undefined ? keepAsItIs(replica, record) : null;
    if (asItIs !== null) {
      replica = asItIs;
      left += 1;
      continue;
    }
    const edits = editsOf(kind, record);
    const lost = refusal ?? (hasGenesis(replica, kind) ? undefined : [...refused.values()][0]);
    if (lost !== undefined || edits.length === 0 || !hasGenesis(replica, kind)) {
      for (const edit of edits) need(edit, lost ?? { code: "doc.unknown" }, record.at);
      draft.dropUnsent(doc, record.number);
      continue;
    }
    const rules = shelf.deps.rules();
    const allowed: FieldEdit[] = [];
    for (const edit of edits.map((each) => insideText(replica, each))) {
      const checked = checkEdits(replica, kind, [...allowed, edit], author.role, rules);
      if (checked.ok) allowed.push(edit);
      else need(edit, refusalOf(checked.error), record.at);
    }
    const replayed = applyEdits(replica, kind, allowed, author, msFromUtc(record.at), rules);
    const written = replayed.ok ? replayed.value : { replica, bytes: null, hashes: [] };
    replica = written.replica;
    if (written.bytes === null) {
      draft.dropUnsent(doc, record.number);
      continue;
    }
    draft.addUnsent(doc, { ...record, hashes: written.hashes, bytes: written.bytes, edits: allowed });
    left += 1;
  }

  const gone = left === 0 && (entry.hidden || !hasGenesis(replica, kind));
  if (gone) forget(draft, doc, base.entry);
  else draft.entry(doc, { ...base.entry, ...summarize(replica, kind, shelf.deps), doubted: base.ahead });
  shelf.evict(doc);
  await draft.commit();
  if (!gone) shelf.put(doc, replica);
}

/**
 * What the relay holds; where it does not say, what came from it before. Its chunks replace ours, but a change that the
 * feed brought while the relay was answering stays: `ahead` says so, and a repair finds out whether the relay has it.
 */
async function baseOf(
  shelf: Shelf,
  draft: Draft,
  doc: string,
  entry: Entry,
  refusals: Reset["refusals"],
  relay: RelayState | null,
): Promise<{ replica: Replica; entry: Entry; ahead: boolean }> {
  const { chunks, damage } = readChunks(relay?.bytes ?? new Uint8Array());
  const loaded = await shelf.load(doc, entry, false);
  if (relay !== null && damage === null && chunks.length > 0) {
    const empty = A.init<Record<string, unknown>>({ actor: shelf.newActor() });
    try {
      const replica = takeChunks(empty, chunks);
      if (isComplete(replica, relay.heads)) {
        for (const name of entry.chunks) draft.write(keys.chunk(doc, name), null);
        const isDocument = chunks.some(({ type }) => type === "document");
        const kept = keepChunk(draft, doc, { ...entry, chunks: [] }, isDocument ? "s" : "c", relay.bytes);
        const judged = new Set([...refusals.keys(), ...shelf.unsentOf(doc).flatMap(({ hashes }) => hashes)]);
        const newer = newerChanges(replica, loaded.replica, judged);
        if (newer.length === 0) return { replica, entry: kept, ahead: false };
        const bytes = concatBytes(...newer);
        const both = takeChunks(replica, readChunks(bytes).chunks);
        return { replica: both, entry: keepChunk(draft, doc, kept, "c", bytes), ahead: true };
      }
    } catch {
      // Checksums were right and Automerge still cannot read it: what is here stands.
    }
  }
  return { replica: loaded.replica, entry, ahead: false };
}

/** Changes that are here and not in the relay's answer, where what they stand on is, and nobody has refused them. */
function newerChanges(relay: Replica, here: Replica, judged: ReadonlySet<string>): Uint8Array[] {
  const shared = A.getHeads(relay).filter((head) => A.hasHeads(here, [head]));
  const known = new Set<string>();
  return A.getChangesSince(here, shared).filter((bytes) => {
    const { hash, deps } = A.decodeChange(bytes);
    if (judged.has(hash) || A.hasHeads(relay, [hash])) return false;
    if (!deps.every((dep) => known.has(dep) || A.hasHeads(relay, [dep]))) return false;
    known.add(hash);
    return true;
  });
}

/** Takes an unsent change in with its own bytes, where everything it was written on is there. */
function keepAsItIs(replica: Replica, record: Unsent): Replica | null {
  const { chunks } = readChunks(record.bytes);
  const own = new Set(record.hashes);
  const deps = chunks.flatMap(({ bytes }) => A.decodeChange(bytes).deps).filter((hash) => !own.has(hash));
  return A.hasHeads(replica, deps) ? takeChunks(replica, chunks) : null;
}

/**
 * The commands of a change, without those that came to nothing: its author is not asked about them. Where it came by a
 * repair, as its operations tell.
 */
function editsOf(kind: DocumentKind, record: Unsent): FieldEdit[] {
  const written = readChunks(record.bytes).chunks.flatMap(({ bytes }) => {
    const read = readEdits(kind, A.decodeChange(bytes));
    return read.ok ? read.value : [];
  });
  if (record.edits.length === 0) return written.map(command);
  const places = new Set(written.map(({ field, row }) => placeName(field, row)));
  return record.edits.filter((edit) => places.has(placeName(edit.field, rowOf(edit))));
}

const placeName = (field: string, row: string | null): string => JSON.stringify([field, row]);
const rowOf = (edit: FieldEdit): string | null => ("key" in edit && edit.key !== undefined ? edit.key : null);

function command(written: WrittenField): FieldEdit {
  const row = written.row === null ? {} : { key: written.row };
  switch (written.does) {
    case "set":
      return { field: written.field, ...row, set: written.value };
    case "increment":
      return { field: written.field, increment: written.by };
    case "text":
      return { field: written.field, at: 0, remove: 0, insert: written.inserted };
  }
}

/** A text may have become shorter since the edit was made. */
function insideText(replica: Replica, edit: FieldEdit): FieldEdit {
  if (!("insert" in edit)) return edit;
  const length = textLength(replica, edit.field);
  const at = Math.min(edit.at, length);
  return { ...edit, at, remove: Math.min(edit.remove, length - at) };
}

function refusalOf(error: { readonly code: string; readonly detail?: string }): Refusal {
  const code = error.code === "document.field" ? "change.field" : "change.schema";
  return error.detail === undefined ? { code } : { code, detail: error.detail };
}

function sentenceOf(kind: DocumentKind, edit: FieldEdit, refusal: Refusal): NeedsYou["sentence"] {
  const label = documentKinds[kind].fields[edit.field]?.label.en ?? edit.field;
  const row = rowOf(edit);
  const where = row === null ? label : `${label} of ${row}`;
  return `HQ did not take your change of ${where}: ${refusalSentence(refusal)}`;
}
