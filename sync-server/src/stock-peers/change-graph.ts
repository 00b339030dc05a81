import { LRUCache } from "lru-cache";
import type { ChangeRow, DocumentRow, StoredDocuments } from "../documents/stored-documents.ts";

/** The stored changes of one document and how they stand behind each other. Nothing that is not committed is in it. */
export interface ChangeGraph {
  has(hash: string): boolean;
  /** Positions of all changes that are neither these nor behind them, in an order in which dependencies come first. */
  since(heads: readonly string[]): readonly number[];
  positionOf(hash: string): number | undefined;
}

const GRAPHS = 64;

/** Graphs by document, read again when a document has newer changes. The document itself is not loaded. */
export function createChangeGraphs(stored: StoredDocuments): (row: DocumentRow) => ChangeGraph {
  const graphs = new LRUCache<string, { last: number; graph: ChangeGraph }>({ max: GRAPHS });
  return (row) => {
    const known = graphs.get(row.doc);
    if (known?.last === row.last) return known.graph;
    const graph = graphOf(stored.changes(row.doc).filter(({ position }) => position <= row.last));
    graphs.set(row.doc, { last: row.last, graph });
    return graph;
  };
}

function graphOf(changes: readonly ChangeRow[]): ChangeGraph {
  const byHash = new Map(changes.map((change) => [change.hash, change]));
  return {
    has: (hash) => byHash.has(hash),
    positionOf: (hash) => byHash.get(hash)?.position,
    since: (heads) => {
      const behind = new Set<string>();
      const queue = [...heads];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        if (behind.has(next)) continue;
        behind.add(next);
        queue.push(...(byHash.get(next)?.deps ?? []));
      }
      return changes.filter(({ hash }) => !behind.has(hash)).map(({ position }) => position);
    },
  };
}
