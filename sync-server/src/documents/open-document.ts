import * as A from "@automerge/automerge/slim";
import { assert, type DocumentKind, type Replica } from "@sampai/engine";
import type { ChangeHeader } from "./change-header.ts";
import type { Place } from "./place.ts";

/** What the gate must know of a change that is in the document. */
export interface KnownChange {
  readonly hash: string;
  readonly actor: string;
  readonly seq: number;
  readonly startOp: number;
  readonly maxOp: number;
  readonly deps: readonly string[];
}

/** A document in memory with the index of its changes. Nothing reaches its replica that the gate has not let through. */
export class OpenDocument {
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  readonly replica: Replica;
  /** Commits under way: until they are done the store knows less than this. */
  pending = 0;
  /** Where it lies with the commits under way: until they are done the registry says where it lay before. */
  place: Place | null = null;
  /** Something was thrown, or a commit failed: what is in memory is no longer trusted. */
  broken = false;
  private readonly known = new Map<string, KnownChange>();
  private readonly byActor = new Map<string, KnownChange[]>();
  /** Text object → ids of the characters ever put into it. Made when a text is first edited. */
  private readonly characters = new Map<string, Set<string>>();
  private headsNow: readonly string[] | null = null;
  private changeBytes = 0;
  private closed = false;

  constructor(doc: string, kind: DocumentKind, key: string, replica: Replica, changes: readonly KnownChange[]) {
    this.doc = doc;
    this.kind = kind;
    this.key = key;
    this.replica = replica;
    for (const change of changes) this.index(change);
    this.changeBytes = changes.length * 300;
  }

  /** A rough count of the memory it takes: measured 40 KB for a small loaded document, and about 8 bytes a stored one. */
  get bytes(): number {
    return 40_000 + 8 * this.changeBytes;
  }

  get heads(): readonly string[] {
    return (this.headsNow ??= A.getHeads(this.replica));
  }

  get size(): number {
    return this.known.size;
  }

  has(hash: string): boolean {
    return this.known.has(hash);
  }

  lastOf(actor: string): KnownChange | undefined {
    return this.byActor.get(actor)?.at(-1);
  }

  /** The number that the first operation of a change on these dependencies must have. */
  startOpAfter(deps: readonly string[]): number {
    return 1 + Math.max(0, ...deps.map((dep) => this.known.get(dep)?.maxOp ?? 0));
  }

  /** Whether these are the document's heads: then everything that is here was known to the author. */
  atHeads(deps: readonly string[]): boolean {
    const heads = this.heads;
    return heads.length === deps.length && heads.every((head) => deps.includes(head));
  }

  /** Whether `hash` is one of `deps` or stands before one of them. */
  isBehind(hash: string, deps: readonly string[]): boolean {
    const target = this.known.get(hash);
    if (target === undefined) return false;
    const seen = new Set<string>();
    const queue = [...deps];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (next === hash) return true;
      const change = this.known.get(next);
      // A change stands behind none whose last operation has a smaller number.
      if (seen.has(next) || change === undefined || change.maxOp < target.maxOp) continue;
      seen.add(next);
      queue.push(...change.deps);
    }
    return false;
  }

  /** The change that made the operation `counter@actor`. */
  changeOf(operation: string): KnownChange | undefined {
    const [counter, actor] = operation.split("@") as [string, string];
    const number = Number(counter);
    return this.byActor.get(actor)?.find(({ startOp, maxOp }) => startOp <= number && number <= maxOp);
  }

  /** Whether a character `counter@actor` was ever put into this text. */
  hasCharacter(text: string, character: string): boolean {
    let characters = this.characters.get(text);
    if (characters === undefined) {
      characters = new Set();
      this.characters.set(text, characters);
      for (const bytes of A.getAllChanges(this.replica)) collectCharacters(A.decodeChange(bytes), text, characters);
    }
    return characters.has(character);
  }

  /** Applies a change that was judged before. Throws what Automerge throws; the caller marks the document broken then. */
  apply(header: ChangeHeader, decoded: A.DecodedChange): void {
    const backend = A.getBackend(this.replica);
    backend.applyChanges([header.bytes]);
    const heads: readonly string[] = backend.getHeads();
    assert(heads.includes(header.hash), "a change whose dependencies are here is applied");
    this.headsNow = heads;
    const { hash, actor, seq, startOp, maxOp, deps } = header;
    this.index({ hash, actor, seq, startOp, maxOp, deps });
    this.changeBytes += header.bytes.length;
    for (const [text, characters] of this.characters) collectCharacters(decoded, text, characters);
  }

  /** What stands between some heads and these: hashes of all changes that are not behind `heads`. */
  since(heads: readonly string[]): readonly string[] {
    const behind = new Set<string>();
    const queue = [...heads];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (behind.has(next)) continue;
      behind.add(next);
      queue.push(...(this.known.get(next)?.deps ?? []));
    }
    return [...this.known.keys()].filter((hash) => !behind.has(hash));
  }

  /** Gives its memory back; nothing may be asked of it afterwards. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    A.free(this.replica);
  }

  private index(change: KnownChange): void {
    this.known.set(change.hash, change);
    const own = this.byActor.get(change.actor) ?? [];
    own.push(change);
    this.byActor.set(change.actor, own);
  }
}

function collectCharacters(change: A.DecodedChange, text: string, into: Set<string>): void {
  for (const [index, op] of change.ops.entries()) {
    if (op.obj === text && (op as { insert?: boolean }).insert === true) {
      into.add(`${change.startOp + index}@${change.actor}`);
    }
  }
}
