import * as A from "@automerge/automerge/slim";
import { bytesToHex, hexToBytes, sha256Bytes, utf8ToBytes } from "../core/hash.ts";
import { documentId } from "./document-id.ts";
import type { DocumentKind } from "./documents.ts";
import type { DocumentDefinition } from "./field.ts";
import { schemaBytes } from "./schema-bytes.ts";

/** A document as Automerge holds it; only the files of this folder look inside. */
export type Replica = A.Doc<Record<string, unknown>>;

/** How a document begins: the same bytes wherever and whenever it is made. */
export interface Origin {
  readonly doc: string;
  /** The kind's schema changes, oldest first, then the birth that writes kind and key. */
  readonly changes: readonly Uint8Array[];
  /** Their hashes in the same order; the first is the genesis. */
  readonly hashes: readonly string[];
}

const changesByKind = new Map<DocumentKind, readonly Uint8Array[]>();
const hashesByKind = new Map<DocumentKind, readonly string[]>();

/** The constant changes that make a kind's containers, one per schema version. */
export function schemaChanges(kind: DocumentKind): readonly Uint8Array[] {
  const changes = changesByKind.get(kind) ?? schemaBytes[kind].map((hex) => hexToBytes(hex));
  changesByKind.set(kind, changes);
  return changes;
}

export function schemaHashes(kind: DocumentKind): readonly string[] {
  const hashes = hashesByKind.get(kind) ?? schemaChanges(kind).map((bytes) => A.decodeChange(bytes).hash);
  hashesByKind.set(kind, hashes);
  return hashes;
}

/** The author of schema version `version`: fixed, and another one for each version, so that no (actor, seq) comes twice. */
export const schemaActor = (kind: DocumentKind, version: number): string =>
  fixedActor(`sampai.schema.${kind}.v${version}`);

const schemaActors = new Set<string>();

/** Whether an operation's actor is the schema itself: its nulls are nobody's values. */
export function isSchemaActor(actor: string): boolean {
  if (schemaActors.size === 0) {
    for (const [kind, versions] of Object.entries(schemaBytes)) {
      versions.forEach((_, index) => schemaActors.add(schemaActor(kind as DocumentKind, index + 1)));
    }
  }
  return schemaActors.has(actor);
}

/**
 * The genesis cannot know the key, so a second constant change writes kind and key. Its author is made from the
 * document id and its time is 0, so that two people who make the same document offline write the same bytes, and the
 * relay can compare it byte by byte.
 */
export function originOf(workspace: string, kind: DocumentKind, key: string): Origin {
  const doc = documentId(workspace, kind, key);
  const schema = schemaChanges(kind);
  const [genesis] = schema as readonly [Uint8Array];
  const started = A.applyChanges(A.init<Record<string, unknown>>({ actor: fixedActor(`sampai.birth.${doc}`) }), [
    genesis,
  ])[0];
  const born = A.change(started, { time: 0 }, (fields) => {
    fields["kind"] = new A.ImmutableString(kind);
    fields["key"] = new A.ImmutableString(key);
  });
  const birth = A.getLastLocalChange(born) as Uint8Array;
  const [birthHash] = A.getHeads(born) as [string];
  A.free(born);
  return { doc, changes: [...schema, birth], hashes: [...schemaHashes(kind), birthHash] };
}

/** A new replica of a document that was never seen here. Its edits are authored by `actor` (hexadecimal). */
export function beginReplica(origin: Origin, actor: string): Replica {
  return A.applyChanges(A.init<Record<string, unknown>>({ actor }), [...origin.changes])[0];
}

/** Whether the replica has its genesis: without it the document is not here, whatever else is. */
export function hasGenesis(replica: Replica, kind: DocumentKind): boolean {
  return A.hasHeads(replica, [schemaHashes(kind)[0] as string]);
}

/**
 * Brings the containers of newer schema versions into a document that an older app made. The same bytes whoever does
 * it; answers the changes that were added, and their hashes.
 */
export function upgradeReplica(
  replica: Replica,
  kind: DocumentKind,
): { replica: Replica; added: readonly string[]; bytes: readonly Uint8Array[] } {
  const hashes = schemaHashes(kind);
  const lacking = hashes.filter((hash) => !A.hasHeads(replica, [hash]));
  if (lacking.length === 0) return { replica, added: [], bytes: [] };
  const changes = schemaChanges(kind).filter((_, version) => lacking.includes(hashes[version] as string));
  return { replica: A.applyChanges(replica, changes)[0], added: lacking, bytes: changes };
}

/** A container of a kind: which field's column, text or counter an Automerge object (or root key) is. */
export type Containers = ReadonlyMap<string, string>;
const containersByKind = new Map<DocumentKind, Containers>();

/** Automerge object id → field, for every column and text of the kind: constant, because the schema changes are. */
export function containersOf(kind: DocumentKind): Containers {
  const known = containersByKind.get(kind);
  if (known !== undefined) return known;
  const containers = new Map<string, string>();
  for (const bytes of schemaChanges(kind)) {
    const change = A.decodeChange(bytes);
    for (const [index, op] of change.ops.entries()) {
      if (op.action.startsWith("make")) containers.set(`${change.startOp + index}@${change.actor}`, op.key);
    }
  }
  containersByKind.set(kind, containers);
  return containers;
}

/**
 * Computes the change that brings schema version `version`: version 1 makes every scalar null and every container of
 * the first table; later ones only add containers. For the author of a new version, and for the test of the old ones.
 */
export function composeSchemaChange(
  definition: DocumentDefinition,
  version: number,
  earlier: readonly Uint8Array[],
): Uint8Array {
  const actor = schemaActor(definition.kind, version);
  const base = A.applyChanges(A.init<Record<string, unknown>>({ actor }), [...earlier])[0];
  const made = A.change(base, { time: 0 }, (root) => {
    if (version === 1) {
      root["kind"] = null;
      root["key"] = null;
    }
    for (const [name, { type, column, since }] of Object.entries(definition.fields)) {
      if (since !== version) continue;
      if (column) root[name] = {};
      else if (type === "text") root[name] = "";
      else if (type === "counter") root[name] = new A.Counter(0);
      else if (version === 1) root[name] = null;
    }
  });
  return A.getLastLocalChange(made) as Uint8Array;
}

function fixedActor(purpose: string): string {
  return bytesToHex(sha256Bytes(utf8ToBytes(purpose)).slice(0, 16));
}
