import { leafHash, rangeHash, nodeHash, type SubtreeHash } from "@sampai/engine/proof";
import type { LogLeaf } from "../../src/order-log/log.ts";
import type { RaisedTerm, TermLog, Voided } from "../../src/order-log/term-log.ts";
import { leafBytes } from "../../src/proof/leaf-record.ts";

/** What is known of a log's terms, as plain data. */
export interface MemoryTerms {
  readonly own: string[];
  readonly raised: RaisedTerm[];
  readonly known: Map<string, number>;
  readonly began: Map<string, number>;
  readonly voided: {
    readonly term: string;
    readonly position: number;
    readonly hash: string;
    readonly device: string;
  }[];
}

export const emptyTerms = (): MemoryTerms => ({ own: [], raised: [], known: new Map(), began: new Map(), voided: [] });

/** The terms over plain data. Its tree is made of the leaves whenever it is asked for, so every size has a root. */
export function memoryTerms(terms: MemoryTerms, leaves: readonly LogLeaf[]): TermLog {
  const starts = () => leaves.filter(({ type }) => type === "start");
  const rootOver = (size: number) => (size > leaves.length ? undefined : rangeHash(0, size, subtreesOf(leaves)));
  return {
    terms: () => [...terms.own],
    begin: (term) => {
      terms.own.push(term);
    },
    raised: () => [...terms.raised],
    noteRaised: (raised) => {
      terms.raised.push(raised);
    },
    knownSizes: () => new Map(terms.known),
    noteKnownSize: (term, size) => {
      terms.known.set(term, Math.max(size, terms.known.get(term) ?? 0));
    },
    beginnings: () => new Map(terms.began),
    noteBeginning: (term, position) => {
      if (!terms.began.has(term)) terms.began.set(term, position);
    },
    startOf: (nonce) => starts().find(({ run }) => run === nonce)?.position,
    startAfter: (position) => starts().find((leaf) => leaf.position > position)?.position,
    lastStart: () => starts().at(-1)?.position,
    rootOver,
    newestTree: () => {
      const root = leaves.length === 0 ? undefined : rootOver(leaves.length);
      return root === undefined ? undefined : { size: leaves.length, root };
    },
    noteVoided: (one) => {
      const isSame = ({ term, position, device }: typeof one) =>
        term === one.term && position === one.position && device === one.device;
      if (!terms.voided.some(isSame)) terms.voided.push(one);
    },
    voided: (term, from) => {
      const named = terms.voided.filter((one) => one.term === term && one.position >= from);
      return [...Map.groupBy(named, ({ position }) => position)]
        .sort(([a], [b]) => a - b)
        .map(([position, ones]) => {
          const back = ones.map(({ device, hash }) => ({ position, device, now: placeOf(leaves, device, hash) }));
          return back.sort((a, b) => (a.now ?? Infinity) - (b.now ?? Infinity))[0] as Voided;
        });
    },
  };
}

function placeOf(leaves: readonly LogLeaf[], device: string, hash: string): number | null {
  return leaves.find((leaf) => leaf.type === "event" && leaf.device === device && leaf.hash === hash)?.position ?? null;
}

const subtreesOf = (leaves: readonly LogLeaf[]): SubtreeHash => {
  const subtree: SubtreeHash = (level, index) =>
    level === 0
      ? leafHash(leafBytes(leaves[index] as LogLeaf))
      : nodeHash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1));
  return subtree;
};
