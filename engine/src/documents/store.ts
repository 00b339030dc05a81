import * as A from "@automerge/automerge/slim";
import { bestMs, utcFromMs } from "../core/clock.ts";
import { concatBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { documentId } from "./document-id.ts";
import type { DocumentsDeps, DocumentStore } from "./document-store.ts";
import type { DocumentError, DocumentKind, DocumentSummary, DocumentView, FieldEdit } from "./documents.ts";
import { applyEdits, fitsOneChange, type EditedReplica } from "./edits.ts";
import { misfitRow } from "./field.ts";
import { beginReplica, hasGenesis, originOf, type Replica } from "./genesis.ts";
import { createIntake } from "./intake.ts";
import { documentKinds } from "./kinds.ts";
import { emptyEntry, FIRST_NUMBER, type Entry, type Unsent } from "./local-index.ts";
import { openShelf, summarize, type Draft } from "./shelf.ts";
import { keepSummaries } from "./summaries.ts";
import { explainField, viewOf } from "./view.ts";

/** Opens the knowledge on this device. Loads no document: lists come from the summary index. */
export async function createDocuments(deps: DocumentsDeps): Promise<DocumentStore> {
  const { identity, clock } = deps;
  const shelf = await openShelf(deps);
  const listeners = new Set<(doc: string | null) => void>();
  const workers = new Set<() => void>();
  const changed = (docs: readonly string[]) => {
    const [first] = docs;
    if (first === undefined) return;
    for (const listener of listeners) listener(docs.length === 1 ? first : null);
  };
  const work = () => {
    for (const worker of workers) worker();
  };
  const summaries = keepSummaries(shelf, changed, work);
  const intake = createIntake({ shelf, author, changed, work, stale: () => summaries.wake() });
  const here = (doc: string): Entry | undefined => {
    const entry = shelf.index.get(doc);
    return entry === undefined || entry.hidden ? undefined : entry;
  };

  return {
    ...intake,
    list: (kind) =>
      [...shelf.index]
        .filter(([, entry]) => entry.kind === kind && !entry.hidden)
        .map(([doc, entry]) => summaryOf(doc, entry))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    view: (kind, key) => reading(kind, key, (doc, replica) => ok(viewNow(doc, kind, key, replica))),
    explain: (kind, key, field, row) => {
      const { fields } = documentKinds[kind];
      const definition = Object.hasOwn(fields, field) ? fields[field] : undefined;
      const wrong = definition === undefined ? `there is no field ${field.slice(0, 80)}` : misfitRow(definition, row);
      if (wrong !== null) return Promise.resolve(err({ code: "document.field", detail: wrong }));
      return reading(kind, key, (_, replica) => ok(explainField(replica, kind, deps.rules(), field, row ?? null)));
    },
    create: (kind, key, edits) => {
      const origin = originOf(identity.workspace, kind, key);
      const { doc } = origin;
      return shelf.locked(doc, async () => {
        if (shelf.index.has(doc)) return err({ code: "document.exists" });
        const fresh = beginReplica(origin, shelf.newActor());
        const atMs = now();
        const edited = applyEdits(fresh, kind, edits, author(), atMs, deps.rules());
        if (!edited.ok) return edited;
        const draft = shelf.begin();
        const bytes = concatBytes(...origin.changes);
        const at = utcFromMs(atMs);
        draft.addUnsent(doc, { kind, key, number: FIRST_NUMBER, hashes: origin.hashes, bytes, at, edits: [] });
        const entry = emptyEntry(kind, key);
        return save(draft, doc, entry, edited.value, edits, atMs, FIRST_NUMBER + 1);
      });
    },
    edit: (kind, key, edits) =>
      reading(kind, key, async (doc, replica) => {
        const atMs = now();
        const edited = applyEdits(replica, kind, edits, author(), atMs, deps.rules());
        if (!edited.ok) return edited;
        if (edited.value.bytes === null) return ok(viewNow(doc, kind, key, replica));
        const entry = shelf.index.get(doc) as Entry;
        const number = (shelf.unsentOf(doc).at(-1)?.number ?? FIRST_NUMBER - 1) + 1;
        return save(shelf.begin(), doc, entry, edited.value, edits, atMs, number);
      }),
    needsYou: () => shelf.needs.map(({ need }) => need),
    dismiss: async (item) => {
      const found = shelf.needs.find(({ need }) => need === item || JSON.stringify(need) === JSON.stringify(item));
      if (found === undefined) return;
      const draft = shelf.begin();
      draft.dropNeed(found);
      await draft.commit();
      changed([item.doc]);
    },
    dirty: () => [...shelf.index.keys()].filter((doc) => shelf.unsentOf(doc).length > 0),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onWork: (listener) => {
      workers.add(listener);
      return () => workers.delete(listener);
    },
    rulesChanged: () => summaries.refresh(),
    settled: () => summaries.settled(),
    close: async () => {
      summaries.stop();
      await shelf.lockedAll([...shelf.index.keys()], () => Promise.resolve());
    },
  };

  function author() {
    return { by: identity.rep, role: identity.role, device: identity.device };
  }

  function now(): number {
    return bestMs(clock, deps.anchor());
  }

  function summaryOf(doc: string, entry: Entry): DocumentSummary {
    const { kind, key, summary } = entry;
    return { doc, kind, key, summary, dirty: shelf.unsentOf(doc).length > 0 };
  }

  function viewNow(doc: string, kind: DocumentKind, key: string, replica: Replica): DocumentView {
    const { value, conflicts } = viewOf(replica, kind, deps.rules());
    return { doc, kind, key, heads: A.getHeads(replica), value, conflicts, dirty: shelf.unsentOf(doc).length > 0 };
  }

  /** Runs with the open document under its lock. Without its genesis a document is not here, whatever else is. */
  function reading<T>(
    kind: DocumentKind,
    key: string,
    run: (doc: string, replica: Replica) => Result<T, DocumentError> | Promise<Result<T, DocumentError>>,
  ): Promise<Result<T, DocumentError>> {
    const doc = documentId(identity.workspace, kind, key);
    return shelf.locked(doc, async () => {
      if (here(doc) === undefined) return err({ code: "document.not-here" });
      const before = shelf.index.get(doc)?.doubted;
      const replica = await shelf.open(doc);
      if (before === false && shelf.index.get(doc)?.doubted === true) work();
      if (!hasGenesis(replica, kind)) return err({ code: "document.not-here" });
      return run(doc, replica);
    });
  }

  /** Makes an edit durable together with its index row and its unsent entry, and only then shows it. */
  async function save(
    draft: Draft,
    doc: string,
    entry: Entry,
    edited: EditedReplica,
    edits: readonly FieldEdit[],
    atMs: number,
    number: number,
  ): Promise<Result<DocumentView, DocumentError>> {
    const { replica, bytes, hashes } = edited;
    if (bytes !== null) {
      if (!fitsOneChange(bytes)) {
        shelf.evict(doc);
        return err({ code: "document.value", detail: "too much in one edit" });
      }
      const { kind, key } = entry;
      const unsent: Unsent = { kind, key, number, hashes, bytes, at: utcFromMs(atMs), edits };
      draft.addUnsent(doc, unsent);
    }
    draft.entry(doc, { ...entry, ...summarize(replica, entry.kind, deps) });
    try {
      await draft.commit();
    } catch (error) {
      // What is on disk is not known: the next opening reads it, under a new actor.
      shelf.evict(doc);
      return err({ code: "document.storage", detail: String(error).slice(0, 200) });
    }
    shelf.put(doc, replica);
    const view = viewNow(doc, entry.kind, entry.key, replica);
    changed([doc]);
    work();
    return ok(view);
  }
}
