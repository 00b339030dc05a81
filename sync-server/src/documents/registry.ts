import { assert } from "@sampai/engine";
import type { DocumentRow } from "./stored-documents.ts";

/**
 * Every document there is, by id, territory and owner, in memory: what is asked for each change and each contact costs
 * no query. It follows what is committed, never ahead of it.
 */
export class DocumentRegistry {
  private readonly rows = new Map<string, DocumentRow>();
  private readonly byTerritory = new Map<string, Set<string>>();
  private readonly byOwner = new Map<string, Set<string>>();
  private readonly byStore = new Map<string, Set<string>>();
  private turn = 0;

  constructor(rows: Iterable<DocumentRow>) {
    for (const row of rows) this.put(row);
  }

  /** Goes up whenever some device's set of documents may have become another. */
  get scopes(): number {
    return this.turn;
  }

  get(doc: string): DocumentRow | undefined {
    return this.rows.get(doc);
  }

  /** Takes a document's new row; answers whether it is new or has changed hands. */
  put(row: DocumentRow): boolean {
    const before = this.rows.get(row.doc);
    assert(before === undefined || before.key === row.key, "a document keeps its key");
    this.rows.set(row.doc, row);
    if (before !== undefined) remove(this.byStore, before.waitsFor, row.doc);
    add(this.byStore, row.waitsFor, row.doc);
    const same =
      before !== undefined &&
      before.territory === row.territory &&
      before.owner === row.owner &&
      before.tombstone === row.tombstone;
    if (same) return false;
    this.turn += 1;
    if (before !== undefined) {
      remove(this.byTerritory, before.territory, row.doc);
      remove(this.byOwner, before.owner, row.doc);
    }
    add(this.byTerritory, row.territory, row.doc);
    add(this.byOwner, row.owner, row.doc);
    return true;
  }

  inTerritory(territory: string): Iterable<string> {
    return this.byTerritory.get(territory) ?? [];
  }

  ownedBy(person: string): Iterable<string> {
    return this.byOwner.get(person) ?? [];
  }

  /** Documents that wait for this store's territory. */
  waitingFor(store: string): readonly string[] {
    return [...(this.byStore.get(store) ?? [])];
  }

  all(): Iterable<DocumentRow> {
    return this.rows.values();
  }
}

function add(index: Map<string, Set<string>>, name: string | null, doc: string): void {
  if (name === null) return;
  const docs = index.get(name) ?? new Set();
  docs.add(doc);
  index.set(name, docs);
}

function remove(index: Map<string, Set<string>>, name: string | null, doc: string): void {
  if (name === null) return;
  index.get(name)?.delete(doc);
  if (index.get(name)?.size === 0) index.delete(name);
}
