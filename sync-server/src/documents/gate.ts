import * as A from "@automerge/automerge/slim";
import {
  candidatesOf,
  documentKinds,
  err,
  goesBack,
  judgeEdit,
  ok,
  readAuthor,
  readEdits,
  ROWS_PER_COLUMN,
  writtenAt,
  type Author,
  type FieldDefinition,
  type Result,
  type Scalar,
  type WrittenField,
} from "@sampai/engine";
import { limits, type Refusal } from "@sampai/engine/wire";
import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";
import type { ChangeHeader } from "./change-header.ts";
import type { OpenDocument } from "./open-document.ts";
import type { GatedChange } from "./operations.ts";
import { placeFields, type StoredDocuments } from "./stored-documents.ts";
import type { Viewer } from "./scope.ts";

/** What became of one change at the gate. */
export type GateAnswer =
  | { readonly answer: "known" }
  | { readonly answer: "missing"; readonly deps: readonly string[] }
  | { readonly answer: "refused"; readonly refusal: Refusal }
  | {
      readonly answer: "through";
      readonly change: GatedChange;
      readonly written: readonly WrittenField[];
      /** Its author knew everything that is here, and replaced every value that stood: there is nobody to disagree with. */
      readonly alone: boolean;
    };

export interface GateContext {
  readonly caller: Viewer;
  readonly nowMs: number;
  readonly stored: Pick<StoredDocuments, "device">;
  /** The changes that every document of this kind and key begins with: constant bytes, nobody's work. */
  readonly constants: { has(header: ChangeHeader): boolean };
  /**
   * For a stock client, which makes its actors at random and whose changes need not say who wrote them: whether it may
   * use this change's actor. Absent for phones, whose actors begin with their device's digits.
   */
  readonly mayUseActor?: ((header: ChangeHeader) => boolean) | undefined;
}

/**
 * Judges one change and, where nothing speaks against it, applies it to the open document. Everything is judged on the
 * decoded operations before Automerge sees them: what Automerge would panic over, or take and never load again, does
 * not come so far. Throws only what Automerge throws while applying; the document is broken then.
 */
export function passGate(open: OpenDocument, header: ChangeHeader, context: GateContext): GateAnswer {
  if (open.has(header.hash)) return { answer: "known" };
  const missing = header.deps.filter((dep) => !open.has(dep));
  if (missing.length > 0) return { answer: "missing", deps: missing };
  const judged = judge(open, header, context);
  if (!judged.ok) return { answer: "refused", refusal: judged.error };
  const { decoded, author, written, vouched, alone } = judged.value;
  open.apply(header, decoded);
  const { hash, actor, seq, startOp, maxOp, deps, bytes } = header;
  const at = writtenAt(header.time, namedIn(header.message).author);
  const change = { hash, actor, seq, startOp, maxOp, deps, bytes, at, vouched, ...author };
  return { answer: "through", change, written, alone };
}

interface Judged {
  readonly decoded: A.DecodedChange;
  readonly author: Author;
  readonly written: readonly WrittenField[];
  readonly vouched: boolean;
  readonly alone: boolean;
}

function judge(open: OpenDocument, header: ChangeHeader, context: GateContext): Result<Judged, Refusal> {
  const order = judgeOrder(open, header);
  if (order !== null) return err(order);
  if (context.constants.has(header)) {
    const decoded = A.decodeChange(header.bytes);
    return ok({
      decoded,
      author: { by: "schema", role: "schema", device: "schema" },
      written: [],
      vouched: false,
      alone: true,
    });
  }
  const author = judgeAuthor(header, context);
  if (!author.ok) return author;
  if (header.time > context.nowMs + limits.aheadMs) return err({ code: "change.time" });
  let decoded: A.DecodedChange;
  try {
    decoded = A.decodeChange(header.bytes);
  } catch (error) {
    return err({ code: "change.malformed", detail: String(error).slice(0, 120) });
  }
  if (decoded.hash !== header.hash || decoded.ops.length !== header.operations)
    return err({ code: "change.malformed" });
  const written = readEdits(open.kind, decoded);
  if (!written.ok) return written;
  const references = judgeReferences(open, header, decoded);
  if (!references.ok) return references;
  const { alone } = references.value;
  const size = new SizeCheck(open, alone);
  const vouched = author.value.device !== context.caller.device;
  const roles = vouched ? [author.value.role, context.caller.role] : [author.value.role];
  for (const edit of written.value) {
    const refusal =
      roles
        .map((role) => judgeEdit(open.kind, alone ? edit : sharpened(open, edit), role))
        .find((refused) => refused !== null) ??
      judgePlace(open, edit, author.value, context.caller) ??
      size.judge(edit);
    if (refusal !== null) return err(refusal);
  }
  const backwards = judgeMonotone(open, header, written.value);
  if (backwards !== null) return err(backwards);
  return ok({ decoded, author: author.value, written: written.value, vouched, alone });
}

/** Sequence and operation numbers: Automerge panics over a gap, and a low start makes a document nobody can load. */
function judgeOrder(open: OpenDocument, header: ChangeHeader): Refusal | null {
  const last = open.lastOf(header.actor);
  if (header.seq !== (last?.seq ?? 0) + 1) {
    const expected = (last?.seq ?? 0) + 1;
    return { code: "change.sequence", detail: `seq ${header.seq} where ${expected} is next` };
  }
  if (last !== undefined && !open.isBehind(last.hash, header.deps)) {
    return { code: "change.sequence", detail: "it does not stand behind its author's last change" };
  }
  const startOp = open.startOpAfter(header.deps);
  if (header.startOp !== startOp) {
    return { code: "change.sequence", detail: `starts at operation ${header.startOp} where ${startOp} is next` };
  }
  return null;
}

/** The author is this caller, or a device that this relay knows and has not revoked. Nobody uses another's actor. */
function judgeAuthor(header: ChangeHeader, context: GateContext): Result<Author, Refusal> {
  const { author, prefix } = namedIn(header.message);
  const { caller, mayUseActor } = context;
  if (mayUseActor !== undefined && (author === null || author.device === caller.device)) {
    return judgeStockAuthor(header, author, context, mayUseActor);
  }
  if (author === null) return err({ code: "change.author", detail: "it names nobody" });
  if (author.device === caller.device) {
    const own = author.by === caller.person && author.role === caller.role;
    if (!own) return err({ code: "change.author", detail: `${author.by} as ${author.role}`.slice(0, 120) });
  } else {
    const device = context.stored.device(author.device);
    if (device === undefined || device.revoked) return err({ code: "change.author", detail: "an unknown device" });
    if (device.person !== author.by || device.role !== author.role) {
      return err({ code: "change.author", detail: `${author.by} as ${author.role}`.slice(0, 120) });
    }
  }
  // Else a phone could take the next number of another's actor, and what that one wrote would be refused.
  if (!header.actor.startsWith(prefix)) {
    return err({ code: "change.author", detail: "the actor belongs to another device" });
  }
  return ok(author);
}

/**
 * A stock client's own change. Without a message it is stored as this caller's and may do what he may; to everybody who
 * reads it, it is of unknown role and lowest authority, and its time is in seconds.
 */
function judgeStockAuthor(
  header: ChangeHeader,
  author: Author | null,
  { caller, nowMs }: GateContext,
  mayUseActor: (header: ChangeHeader) => boolean,
): Result<Author, Refusal> {
  if (author !== null && (author.by !== caller.person || author.role !== caller.role)) {
    return err({ code: "change.author", detail: `${author.by} as ${author.role}`.slice(0, 120) });
  }
  if (author === null && header.time * 1_000 > nowMs + limits.aheadMs) {
    return err({ code: "change.time", detail: "a change without a message is dated in seconds" });
  }
  if (!mayUseActor(header)) return err({ code: "change.author", detail: "the actor belongs to another device" });
  return ok({ by: caller.person, role: caller.role, device: caller.device });
}

interface Named {
  readonly author: Author | null;
  /** How every actor of the author's device begins. */
  readonly prefix: string;
}

/** Messages read before: those of one device are all alike. */
const named = new LRUCache<string, Named>({ max: 1_000 });

function namedIn(message: string): Named {
  const known = named.get(message);
  if (known !== undefined) return known;
  const author = readAuthor(message);
  const read = { author, prefix: author === null ? "" : actorPrefix(author.device) };
  if (message.length <= REMEMBERED_LENGTH) named.set(message, read);
  return read;
}

/** A longer message is none of ours. */
const REMEMBERED_LENGTH = 500;

/** How every actor of a device begins: 16 hexadecimal digits made from the device's id. */
export function actorPrefix(device: string): string {
  return createHash("sha256").update(device).digest("hex").slice(0, 16);
}

/** A field that is empty in the change's own view may have been filled meanwhile: first values are first only once. */
function sharpened(open: OpenDocument, edit: WrittenField): WrittenField {
  if (edit.does !== "set" || !edit.empty) return edit;
  const filled = candidatesOf(open.replica, edit.field, edit.row).some(({ value }) => value !== null);
  return filled ? { ...edit, empty: false } : edit;
}

/** A rep hands documents to nobody: he may write his own territories and himself where a document says whose it is. */
function judgePlace(open: OpenDocument, edit: WrittenField, author: Author, caller: Viewer): Refusal | null {
  if (edit.does !== "set" || author.role !== "rep" || edit.value === null) return null;
  const { territory, owner } = placeFields(open.kind);
  if (edit.field === owner && edit.value !== author.by) return { code: "change.field", detail: `${owner} by rep` };
  const everywhere = caller.role !== "rep" || caller.territories.includes("*");
  if (edit.field === territory && !everywhere && !caller.territories.includes(String(edit.value))) {
    return { code: "doc.scope", detail: "another territory" };
  }
  return null;
}

/** How large texts and columns become with a change: each is looked up once, and a row only where it may be new. */
class SizeCheck {
  private readonly rows = new Map<string, { readonly id: string; count: number }>();
  private readonly open: OpenDocument;
  private readonly alone: boolean;

  constructor(open: OpenDocument, alone: boolean) {
    this.open = open;
    this.alone = alone;
  }

  judge(edit: WrittenField): Refusal | null {
    const backend = A.getBackend(this.open.replica);
    if (edit.does === "text") {
      const { max } = documentKinds[this.open.kind].fields[edit.field] as FieldDefinition;
      const text = backend.getWithType("_root", edit.field);
      const length = text?.[0] === "text" ? backend.length(text[1]) : 0;
      const fits = length + edit.inserted.length - edit.removed <= max;
      return fits ? null : { code: "change.schema", detail: `${edit.field}: longer than ${max} characters` };
    }
    if (edit.does !== "set" || edit.row === null || (this.alone && !edit.empty)) return null;
    const column = this.columnOf(edit.field);
    if (column === null || (!this.alone && backend.get(column.id, edit.row) !== undefined)) return null;
    column.count += 1;
    const full = column.count > ROWS_PER_COLUMN;
    return full ? { code: "change.schema", detail: `${edit.field}: more than ${ROWS_PER_COLUMN} rows` } : null;
  }

  private columnOf(field: string): { readonly id: string; count: number } | null {
    const known = this.rows.get(field);
    if (known !== undefined) return known;
    const backend = A.getBackend(this.open.replica);
    const found = backend.getWithType("_root", field);
    if (found?.[0] !== "map") return null;
    const column = { id: found[1], count: backend.length(found[1]) };
    this.rows.set(field, column);
    return column;
  }
}

/**
 * Every operation that is named must be there and behind the change's dependencies: Automerge panics over others, or
 * keeps bytes that it cannot load. `readEdits` has checked that the objects are the kind's own.
 */
function judgeReferences(
  open: OpenDocument,
  header: ChangeHeader,
  decoded: A.DecodedChange,
): Result<{ readonly alone: boolean }, Refusal> {
  const backend = A.getBackend(open.replica);
  const atHeads = open.atHeads(header.deps);
  let alone = atHeads;
  const behind = new Map<string, boolean>();
  /** Whether an operation was made by a change that this one stands behind. */
  const reachable = (operation: string): boolean => {
    const maker = open.changeOf(operation);
    if (maker === undefined || atHeads) return maker !== undefined;
    const known = behind.get(maker.hash) ?? open.isBehind(maker.hash, header.deps);
    behind.set(maker.hash, known);
    return known;
  };
  const unknown = (what: string) => err({ code: "change.reference", detail: what.slice(0, 120) } satisfies Refusal);
  const standing = new Map<string, Set<string>>();
  const objects = new Set<string>();
  const ownCharacters = new Set<string>();
  for (const [index, op] of decoded.ops.entries()) {
    const id = `${decoded.startOp + index}@${decoded.actor}`;
    if (op.obj !== "_root" && !objects.has(op.obj)) {
      if (!reachable(op.obj)) return unknown(`no object ${op.obj}`);
      objects.add(op.obj);
    }
    const { elemId, insert } = op as { elemId?: string; insert?: boolean };
    if (elemId !== undefined) {
      const there =
        elemId === "_head" || ownCharacters.has(elemId) || (open.hasCharacter(op.obj, elemId) && reachable(elemId));
      if (!there) return unknown(`no character ${elemId}`);
      if (insert === true) {
        if (op.pred.length > 0) return unknown("an insertion replaces nothing");
        ownCharacters.add(id);
      } else if (elemId === "_head" || op.pred.length !== 1 || op.pred[0] !== elemId) {
        return unknown("a deletion names the character it deletes");
      }
      continue;
    }
    const place = `${op.obj}/${op.key}`;
    let operations = standing.get(place);
    if (operations === undefined) {
      const found = atHeads ? backend.getAll(op.obj, op.key) : backend.getAll(op.obj, op.key, [...header.deps]);
      operations = new Set(found.map((entry) => String(entry.at(-1))));
      standing.set(place, operations);
    }
    for (const pred of op.pred) if (!operations.has(pred)) return unknown(`no predecessor ${pred}`);
    if (op.action === "inc") {
      if (op.pred.length === 0) return unknown("an increment names its counter");
      continue;
    }
    for (const pred of op.pred) operations.delete(pred);
    if (operations.size > 0) alone = false;
    operations.add(id);
  }
  return ok({ alone });
}

/** A monotone field does not go back from any value that its author saw, nor from one that he wrote just before. */
function judgeMonotone(open: OpenDocument, header: ChangeHeader, written: readonly WrittenField[]): Refusal | null {
  const backend = A.getBackend(open.replica);
  const before = new Map<string, readonly Scalar[]>();
  for (const edit of written) {
    const definition = documentKinds[open.kind].fields[edit.field] as FieldDefinition;
    if (edit.does !== "set" || !definition.monotone) continue;
    const column = definition.column ? backend.getWithType("_root", edit.field) : null;
    const object = definition.column ? String(column?.[1]) : "_root";
    const key = edit.row ?? edit.field;
    const place = `${object}/${key}`;
    const values =
      before.get(place) ?? backend.getAll(object, key, [...header.deps]).map((found) => found[1] as Scalar);
    if (values.some((value) => goesBack(definition, value, edit.value))) {
      return { code: "change.field", detail: `${edit.field} never goes back` };
    }
    before.set(place, [edit.value]);
  }
  return null;
}
