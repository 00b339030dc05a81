import { documentKinds, isDocumentKind, type DocumentKind } from "@sampai/engine";
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** One stored document, as the index has it: nobody loads a document to know this. */
export interface DocumentRow {
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  readonly territory: string | null;
  /** Code of the person whose document it is: a visit's or plan's rep, a store's responsible rep. */
  readonly owner: string | null;
  /** A store: this document has no territory, and takes that one's as soon as it is known. */
  readonly waitsFor: string | null;
  readonly heads: readonly string[];
  /** Position of its newest change. */
  readonly last: number;
  /** RFC 3339 UTC of when it last changed hands; null where it never did. */
  readonly moved: string | null;
  readonly tombstone: string | null;
}

/** One stored change without its bytes. */
export interface ChangeRow {
  readonly position: number;
  readonly doc: string;
  readonly hash: string;
  readonly actor: string;
  readonly seq: number;
  readonly startOp: number;
  readonly maxOp: number;
  readonly deps: readonly string[];
  readonly device: string;
  readonly by: string;
  readonly role: string;
  readonly vouched: boolean;
  readonly at: string;
  readonly received: string;
}

export interface SnapshotRow {
  readonly through: number;
  readonly heads: readonly string[];
  readonly bytes: Uint8Array;
}

/** A bundle without its bytes: its documents, each as it was through a position. */
export interface BundleRow {
  readonly bundle: number;
  readonly documents: readonly (readonly [doc: string, through: number])[];
}

/** What a device can have on it: it was given `doc` with scope version `since`, and told to drop it with `gone`. */
export interface HeldRow {
  readonly doc: string;
  readonly since: number;
  readonly gone: number | null;
  readonly goneAt: string | null;
}

/** Reads what the document operations have written. Only what is committed is seen. */
export interface StoredDocuments {
  all(): readonly DocumentRow[];
  document(doc: string): DocumentRow | undefined;
  changes(doc: string): readonly ChangeRow[];
  /** Change bytes of a document from `position` on, in order. */
  bytesSince(doc: string, position: number): readonly { readonly position: number; readonly bytes: Uint8Array }[];
  bytesOf(doc: string, hash: string): Uint8Array | undefined;
  /** Position of a change that this device wrote. */
  positionBy(doc: string, hash: string, device: string): number | undefined;
  /** Where a document changed from `position` on. */
  positionsSince(doc: string, position: number): readonly number[];
  bytesAt(position: number): Uint8Array | undefined;
  snapshot(doc: string): SnapshotRow | undefined;
  /** Documents that have a snapshot. */
  withSnapshot(): readonly string[];
  bundles(): readonly BundleRow[];
  bundle(
    bundle: number,
  ): { readonly length: number; readonly deflated: Uint8Array; readonly sha256: string } | undefined;
  /** Next position of the stream of document changes. */
  head(): number;
  scopeVersion(device: string): { readonly version: number; readonly changed: string | null };
  /** The territories that the device came with last; undefined where it was never here. */
  territoriesNoted(device: string): readonly string[] | undefined;
  held(device: string): readonly HeldRow[];
  heldRow(device: string, doc: string): HeldRow | undefined;
  /** What the importer last wrote, by field or `field/row`, as JSON. */
  imported(doc: string): ReadonlyMap<string, string>;
  device(device: string): { readonly person: string; readonly role: string; readonly revoked: boolean } | undefined;
  /** Ids of all devices that were ever enrolled. */
  devices(): readonly string[];
  /** The device that brought this actor's changes into the document. */
  deviceOfActor(doc: string, actor: string): string | undefined;
  /** Territory codes of a person; undefined where nobody has that code. */
  territoriesOf(person: string): readonly string[] | undefined;
  names(): Readonly<Record<string, string>>;
}

export function createStoredDocuments(db: DatabaseSync): StoredDocuments {
  const prepared = new Map<string, StatementSync>();
  const sql = (text: string) => {
    const statement = prepared.get(text) ?? db.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  return {
    all: () => sql("select *, waits_for as waitsFor from document order by doc").all().flatMap(documentRow),
    document: (doc) =>
      [sql("select *, waits_for as waitsFor from document where doc = ?").get(doc)].flatMap(documentRow)[0],
    changes: (doc) =>
      sql(
        `select position, doc, hash, actor, seq, start_op as startOp, max_op as maxOp, deps, device, by, role, vouched,
           at, received from change where doc = ? order by position`,
      )
        .all(doc)
        .map(
          (row) =>
            ({ ...row, deps: JSON.parse(String(row["deps"])), vouched: row["vouched"] === 1 }) as unknown as ChangeRow,
        ),
    bytesSince: (doc, position) =>
      sql("select position, bytes from change where doc = ? and position >= ? order by position").all(
        doc,
        position,
      ) as unknown as { position: number; bytes: Uint8Array }[],
    bytesOf: (doc, hash) =>
      sql("select bytes from change where doc = ? and hash = ?").get(doc, hash)?.["bytes"] as Uint8Array | undefined,
    positionBy: (doc, hash, device) => {
      const row = sql("select position from change where doc = ? and hash = ? and device = ?").get(doc, hash, device);
      return row === undefined ? undefined : Number(row["position"]);
    },
    positionsSince: (doc, position) =>
      sql("select position from change where doc = ? and position >= ? order by position")
        .all(doc, position)
        .map((row) => Number(row["position"])),
    bytesAt: (position) =>
      sql("select bytes from change where position = ?").get(position)?.["bytes"] as Uint8Array | undefined,
    snapshot: (doc) => {
      const row = sql("select through, heads, bytes from snapshot where doc = ?").get(doc);
      if (row === undefined) return undefined;
      return { ...row, heads: JSON.parse(String(row["heads"])) } as unknown as SnapshotRow;
    },
    withSnapshot: () =>
      sql("select doc from snapshot order by doc")
        .all()
        .map((row) => String(row["doc"])),
    bundles: () =>
      sql("select bundle, documents from bundle order by bundle")
        .all()
        .map((row) => ({ bundle: Number(row["bundle"]), documents: JSON.parse(String(row["documents"])) })),
    bundle: (bundle) =>
      sql("select length, deflated, sha256 from bundle where bundle = ?").get(bundle) as
        | { length: number; deflated: Uint8Array; sha256: string }
        | undefined,
    head: () => Number(sql("select coalesce(max(position) + 1, 0) as head from change").get()?.["head"]),
    scopeVersion: (device) =>
      (sql("select version, changed from device_scope where device = ?").get(device) as
        | { version: number; changed: string | null }
        | undefined) ?? { version: 0, changed: null },
    territoriesNoted: (device) => {
      const row = sql("select territories from device_scope where device = ?").get(device);
      return row === undefined ? undefined : (JSON.parse(String(row["territories"])) as string[]);
    },
    held: (device) =>
      sql("select doc, since, gone, gone_at as goneAt from device_document where device = ?").all(
        device,
      ) as unknown as HeldRow[],
    heldRow: (device, doc) =>
      sql("select doc, since, gone, gone_at as goneAt from device_document where device = ? and doc = ?").get(
        device,
        doc,
      ) as HeldRow | undefined,
    imported: (doc) =>
      new Map(
        sql("select field, value from imported_value where doc = ?")
          .all(doc)
          .map((row) => [String(row["field"]), String(row["value"])]),
      ),
    device: (device) => {
      const row = sql("select person, role, revoked from device where device = ?").get(device);
      if (row === undefined) return undefined;
      return { person: String(row["person"]), role: String(row["role"]), revoked: row["revoked"] !== null };
    },
    devices: () =>
      sql("select device from device order by device")
        .all()
        .map((row) => String(row["device"])),
    deviceOfActor: (doc, actor) =>
      sql("select device from change where doc = ? and actor = ? limit 1").get(doc, actor)?.["device"] as
        | string
        | undefined,
    territoriesOf: (person) => {
      const row = sql("select territories from person where code = ?").get(person);
      return row === undefined ? undefined : (JSON.parse(String(row["territories"])) as string[]);
    },
    names: () =>
      Object.fromEntries(
        sql("select code, name from person")
          .all()
          .map((row) => [String(row["code"]), String(row["name"])]),
      ),
  };
}

function documentRow(row: Record<string, unknown> | undefined): DocumentRow[] {
  if (row === undefined) return [];
  const kind = String(row["kind"]);
  // A kind that this version does not know yet was stored by a newer one: it is left alone, and served by that one.
  if (!isDocumentKind(kind)) return [];
  return [{ ...row, kind, heads: JSON.parse(String(row["heads"])) } as unknown as DocumentRow];
}

/** The fields that say where a document belongs and whose it is. */
export function placeFields(kind: DocumentKind): {
  readonly territory: "territory";
  readonly owner: "ownerRep" | "rep";
} {
  return { territory: "territory", owner: "ownerRep" in documentKinds[kind].fields ? "ownerRep" : "rep" };
}
