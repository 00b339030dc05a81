import {
  documentId,
  isDocumentKind,
  originOf,
  schemaHashes,
  type DocumentKind,
  type ReadingRules,
  type WrittenField,
} from "@sampai/engine";
import type { Refusal, RelayMessage } from "@sampai/engine/wire";
import { DiskFull, type Writer } from "../database/writer.ts";
import type { Connection } from "../relay/part.ts";
import type { TrailNote } from "../trail/trail.ts";
import { readChunks, type ChangeHeader } from "./change-header.ts";
import { conflictNote } from "./conflict-note.ts";
import { passGate, type GateContext } from "./gate.ts";
import type { OpenDocument } from "./open-document.ts";
import type { OpenDocuments } from "./open-documents.ts";
import type { GatedChange, StoreChangesAnswer } from "./operations.ts";
import { movesDocument, placeOf } from "./place.ts";
import type { WholePush } from "./push-assembly.ts";
import type { DocumentRegistry } from "./registry.ts";
import { inScope, mayStillWrite, type Viewer } from "./scope.ts";
import type { DocumentRow, StoredDocuments } from "./stored-documents.ts";
import type { WaitingChanges } from "./waiting-changes.ts";

/** Milliseconds after which a long push lets others have the thread. */
const SLICE_MS = 8;
const SLICE_CHANGES = 200;

export type PushedMessage = Extract<RelayMessage, { type: "pushed" }>;

/** Changes that are on disk now. `row` is the document as of them. */
export interface StoredChanges {
  readonly row: DocumentRow;
  readonly changes: readonly { readonly position: number; readonly bytes: Uint8Array }[];
  readonly head: number;
  /** The document did not exist before. */
  readonly born: boolean;
  /** The connection that brought them; null for the relay itself. */
  readonly from: Connection | null;
}

export interface PushDeps {
  readonly workspace: string;
  readonly writer: Writer;
  readonly stored: StoredDocuments;
  readonly registry: DocumentRegistry;
  readonly open: OpenDocuments;
  readonly rules: () => ReadingRules;
  readonly wallMs: () => number;
  readonly tickMs: () => number;
  /** Called in commit order, right after the commit and before the answer. */
  readonly onStored: (stored: StoredChanges) => void;
}

/** What the pushes of one connection keep between them. */
export interface Pusher {
  /** Null for the relay itself, which imports. */
  readonly connection: Connection | null;
  readonly viewer: Viewer;
  readonly waiting: WaitingChanges;
  /** A stock client's: whether it may use a change's actor in a document. */
  readonly mayUseActor?: (doc: string, header: ChangeHeader) => boolean;
}

export type PushOutcome = { readonly pushed: Omit<PushedMessage, "type" | "n"> } | { readonly refusal: Refusal };

/**
 * Takes a whole push through the gate and into the store. The first promise resolves when everything is judged and
 * handed to the writer, so that the next push can begin; the second, inside it, when the commits are on disk.
 */
export async function judgePush(
  push: WholePush,
  pusher: Pusher,
  deps: PushDeps,
): Promise<{ done: Promise<PushOutcome> }> {
  const refuse = (refusal: Refusal) => ({ done: Promise.resolve({ refusal }) });
  const { doc, kind, key } = push;
  if (!isDocumentKind(kind)) return refuse({ code: "doc.unknown-kind", detail: kind });
  const known = deps.registry.get(doc);
  // The id of a document that is here was checked when it was made.
  const named =
    known === undefined ? documentId(deps.workspace, kind, key) === doc : known.kind === kind && known.key === key;
  if (!named) return refuse({ code: "doc.id" });
  const outside = known === undefined ? null : outsideOf(known, pusher.viewer, deps);
  const read = readChunks(push.bytes);
  if (!read.ok) return refuse(outside ?? read.error);
  const headers: ChangeHeader[] = [];
  for (const chunk of read.value.chunks) {
    if (chunk.type === "document")
      return refuse({ code: "change.malformed", detail: "a whole document is not pushed" });
    headers.push(chunk.header);
  }
  if (outside !== null) return { done: Promise.resolve(answerOutside(push, headers, outside, pusher.viewer, deps)) };
  if (known === undefined) {
    const refusal = mayCreate(pusher.viewer, kind, key);
    if (refusal !== null) return refuse(refusal);
    const genesis = schemaHashes(kind)[0];
    const making = deps.open.peek(doc) !== undefined;
    if (!making && !headers.some(({ hash }) => hash === genesis)) return refuse({ code: "doc.unknown" });
  }
  const job = new PushJob({ doc, kind, key }, pusher, deps, headers, read.value.refused, push.imported);
  const refusal = await job.judge();
  return refusal === null ? { done: job.done() } : refuse(refusal);
}

/** Why this viewer may write no more in a document that is here, or null where he may. */
function outsideOf(row: DocumentRow, viewer: Viewer, { stored, wallMs }: PushDeps): Refusal | null {
  if (row.tombstone !== null) return { code: "doc.tombstone" };
  return inScope(viewer, row) || mayStillWrite(viewer, row, stored, wallMs()) ? null : { code: "doc.scope" };
}

/**
 * What this device wrote while it could is stored, whatever became of the document since: where the first answer was
 * lost, its author must not be told that it was refused. A device learns here only of changes that it wrote itself.
 */
function answerOutside(
  { doc, kind, key }: WholePush,
  headers: readonly ChangeHeader[],
  refusal: Refusal,
  viewer: Viewer,
  { stored, workspace }: PushDeps,
): PushOutcome {
  const own = headers.map((header) => ({ header, position: stored.positionBy(doc, header.hash, viewer.device) }));
  if (own.every(({ position }) => position === undefined)) return { refusal };
  const constants = isDocumentKind(kind) ? constantsOf(workspace, { doc, kind, key }) : null;
  const refused = own
    .filter(({ header, position }) => position === undefined && constants?.has(header) !== true)
    .map(({ header }) => ({ hash: header.hash, code: refusal.code }));
  const positions = own.flatMap(
    ({ header, position }) => position ?? stored.positionBy(doc, header.hash, "schema") ?? [],
  );
  return { pushed: { doc, stored: positions, heads: [], missing: [], refused } };
}

/** A plan belongs to the rep whose code its key begins with; stores and visits are made by whoever finds or makes them. */
function mayCreate(viewer: Viewer, kind: DocumentKind, key: string): Refusal | null {
  if (kind !== "plan" || viewer.role !== "rep" || key.startsWith(`${viewer.person}/`)) return null;
  return { code: "doc.scope", detail: "another rep's plan" };
}

/** The origin's last change is made from the key: computed only where something is not the schema's. */
function constantsOf(workspace: string, { kind, key }: Identified): GateContext["constants"] {
  let origin: readonly string[] | null = null;
  return {
    has: ({ hash, time }) => {
      if (schemaHashes(kind).includes(hash)) return true;
      if (time !== 0) return false;
      origin ??= originOf(workspace, kind, key).hashes;
      return origin.includes(hash);
    },
  };
}

type Identified = Pick<DocumentRow, "doc" | "kind" | "key">;

/** One push on its way through the gate, in slices. */
class PushJob {
  private readonly commits: Promise<StoreChangesAnswer>[] = [];
  private readonly refused = new Map<string, Refusal>();
  private readonly missing = new Set<string>();
  private readonly order: readonly string[];
  private readonly id: Identified;
  private readonly pusher: Pusher;
  private readonly deps: PushDeps;
  private queue: ChangeHeader[];
  private heads: readonly string[] = [];
  private readonly imported: Readonly<Record<string, string>> | undefined;

  constructor(
    id: Identified,
    pusher: Pusher,
    deps: PushDeps,
    headers: readonly ChangeHeader[],
    refused: readonly { readonly hash: string; readonly refusal: Refusal }[],
    imported: Readonly<Record<string, string>> | undefined,
  ) {
    this.id = id;
    this.imported = imported;
    this.pusher = pusher;
    this.deps = deps;
    this.queue = [...pusher.waiting.take(id.doc), ...headers];
    this.order = [...new Set(this.queue.map(({ hash }) => hash))];
    for (const { hash, refusal } of refused) this.refused.set(hash, refusal);
  }

  /** Judges all changes; a refusal is about the document as a whole. */
  async judge(): Promise<Refusal | null> {
    const constants = constantsOf(this.deps.workspace, this.id);
    for (;;) {
      const opened = this.openDocument();
      if ("wait" in opened) {
        await opened.wait;
        continue;
      }
      if ("refusal" in opened) return opened.refusal;
      const progress = this.judgeSlice(opened.open, opened.born, constants);
      if (progress === "refused") return { code: "doc.scope", detail: "a document outside the territory" };
      if (progress === "done") break;
      await new Promise(setImmediate);
    }
    return null;
  }

  private openDocument(): { open: OpenDocument; born: boolean } | { refusal: Refusal } | { wait: Promise<void> } {
    const { open: documents, registry } = this.deps;
    if (registry.get(this.id.doc) === undefined && documents.peek(this.id.doc) === undefined) {
      return { open: documents.begin(this.id.doc, this.id.kind, this.id.key), born: true };
    }
    const opened = documents.openNow(this.id);
    if ("wait" in opened) return opened;
    return opened.ok ? { open: opened.value, born: false } : { refusal: opened.error };
  }

  /** From here to the writer there is no await, so that commits have the order in which changes were applied. */
  private judgeSlice(
    open: OpenDocument,
    born: boolean,
    constants: GateContext["constants"],
  ): "done" | "more" | "refused" {
    const { mayUseActor } = this.pusher;
    const context: GateContext = {
      caller: this.pusher.viewer,
      nowMs: this.deps.wallMs(),
      stored: this.deps.stored,
      constants,
      mayUseActor: mayUseActor === undefined ? undefined : (header) => mayUseActor(this.id.doc, header),
    };
    const through: { change: GatedChange; written: readonly WrittenField[] }[] = [];
    const known: string[] = [];
    const notes: TrailNote[] = [];
    const until = this.deps.tickMs() + SLICE_MS;
    let later: ChangeHeader[] = [];
    let queue = this.queue;
    let sliced = false;
    // A change may wait for one that stands behind it in the push, so go round while something gets through.
    for (let progress = true; progress && !sliced;) {
      progress = false;
      later = [];
      for (const [index, header] of queue.entries()) {
        if (header.deps.some((dep) => this.refused.has(dep))) {
          this.refused.set(header.hash, { code: "change.dependencies", detail: "it stands behind a refused change" });
          continue;
        }
        let answer;
        try {
          answer = passGate(open, header, context);
        } catch (error) {
          this.deps.open.discard(open);
          this.refused.set(header.hash, { code: "change.reference", detail: String(error).slice(0, 120) });
          later.push(...queue.slice(index + 1));
          sliced = true;
          break;
        }
        if (answer.answer === "refused") {
          this.refused.set(header.hash, answer.refusal);
          // What waits in front of it in the queue may stand behind it.
          progress = true;
        } else if (answer.answer === "missing") later.push(header);
        else {
          progress = true;
          if (answer.answer === "known") known.push(header.hash);
          else {
            through.push(answer);
            for (const edit of answer.alone ? [] : answer.written)
              notes.push(...(this.conflict(open, edit, answer.change) ?? []));
          }
        }
        if (through.length >= SLICE_CHANGES || this.deps.tickMs() > until) {
          later.push(...queue.slice(index + 1));
          sliced = true;
          break;
        }
      }
      queue = later;
    }
    this.queue = later;
    if (through.length > 0 || known.length > 0) {
      const stored = this.store(open, born, through, known, notes);
      if (!stored) return "refused";
    } else if (born) this.deps.open.discard(open);
    else this.heads = this.deps.registry.get(this.id.doc)?.heads ?? [];
    if (sliced) return "more";
    this.waitFor(open, later);
    return "done";
  }

  private conflict(open: OpenDocument, edit: WrittenField, change: GatedChange): TrailNote[] | null {
    const note = conflictNote(open, edit, change, this.deps.rules);
    return note === null ? null : [note];
  }

  private waitFor(open: OpenDocument, headers: readonly ChangeHeader[]): void {
    const waiting = new Set(headers.map(({ hash }) => hash));
    for (const header of headers) {
      for (const dep of header.deps) if (!waiting.has(dep) && !open.has(dep)) this.missing.add(dep);
    }
    this.pusher.waiting.add(this.id.doc, headers);
  }

  /** Hands a slice to the writer. False where a new document would lie outside its maker's territory. */
  private store(
    open: OpenDocument,
    born: boolean,
    through: readonly { change: GatedChange; written: readonly WrittenField[] }[],
    known: readonly string[],
    notes: readonly TrailNote[],
  ): boolean {
    const { deps, id, pusher } = this;
    const before = (open.pending > 0 ? open.place : deps.registry.get(id.doc)) ?? null;
    const moved =
      before === null || through.some(({ written }) => written.some(({ field }) => movesDocument(id.kind, field)));
    const place = moved
      ? placeOf(open, before, pusher.viewer.person, deps.rules(), deps.workspace, deps.registry)
      : before;
    if (born && !inScope(pusher.viewer, { ...place, kind: id.kind, tombstone: null })) {
      deps.open.discard(open);
      return false;
    }
    open.place = place;
    const release = deps.open.hold(open);
    const { heads } = open;
    const changes = through.map(({ change }) => change);
    const bytes = new Map(changes.map((change) => [change.hash, change.bytes]));
    const commit = deps.writer
      .run("storeChanges", {
        ...id,
        device: pusher.connection === null ? null : pusher.viewer.device,
        changes,
        known,
        heads,
        territory: place.territory,
        owner: place.owner,
        waitsFor: place.waitsFor,
        notes,
        ...(this.imported === undefined ? {} : { imported: this.imported }),
        ...(born && pusher.connection !== null ? { heldBy: pusher.viewer.device } : {}),
      })
      .then(
        (answer) => {
          release(answer.stored);
          if (!answer.stored) return answer;
          this.heads = heads;
          if (answer.fresh.length > 0) {
            const positions = answer.fresh.map((hash) => ({
              position: answer.positions.get(hash) as number,
              bytes: bytes.get(hash) as Uint8Array,
            }));
            const last = positions.at(-1)?.position ?? 0;
            const known = deps.registry.get(id.doc);
            const row: DocumentRow = {
              ...id,
              territory: place.territory,
              owner: place.owner,
              waitsFor: place.waitsFor,
              heads,
              last,
              moved: known === undefined || !moved ? (known?.moved ?? null) : movedAt(known, place, deps.wallMs()),
              tombstone: known?.tombstone ?? null,
            };
            deps.onStored({ row, changes: positions, head: answer.head, born, from: pusher.connection });
          }
          return answer;
        },
        (error: unknown) => {
          release(false);
          throw error;
        },
      );
    commit.catch(() => {
      // It is told when the push is answered; until then nobody waits for it.
    });
    this.commits.push(commit);
    return true;
  }

  /** The one answer, when everything is on disk. */
  async done(): Promise<PushOutcome> {
    const positions = new Map<string, number>();
    try {
      for (const commit of this.commits) {
        const answer = await commit;
        if (!answer.stored) return { refusal: { code: "relay.busy", detail: "the store was behind; send it again" } };
        for (const [hash, position] of answer.positions) positions.set(hash, position);
      }
    } catch (error) {
      if (error instanceof DiskFull) return { refusal: { code: "storage.full" } };
      throw error;
    }
    const stored = this.order.flatMap((hash) => positions.get(hash) ?? []);
    const refused = [...this.refused].map(([hash, refusal]) => ({
      hash,
      code: refusal.code,
      ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    }));
    if (refused.length > 0) await this.noteRefused(refused);
    return { pushed: { doc: this.id.doc, stored, heads: [...this.heads], missing: [...this.missing], refused } };
  }

  private async noteRefused(refused: readonly { hash: string; code: string; detail?: string }[]): Promise<void> {
    const { kind, key, doc } = this.id;
    const detail = { kind, key, count: refused.length, refused: refused.slice(0, 10) };
    const note: TrailNote = { topic: "document.refused", device: this.pusher.viewer.device, item: doc, detail };
    await this.deps.writer.run("note", { rows: [note] });
  }
}

function movedAt(
  before: DocumentRow,
  place: { readonly territory: string | null; readonly owner: string | null },
  nowMs: number,
): string | null {
  const same = before.territory === place.territory && before.owner === place.owner;
  return same ? before.moved : new Date(nowMs).toISOString();
}
