import assert from "node:assert/strict";
import type { Tip } from "@sampai/engine/wire";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import type { LogLeaf } from "../../src/order-log/log.ts";
import type { DeviceLog, LogTransaction, PlacedClose } from "../../src/order-log/log-transaction.ts";
import { emptyTerms, memoryTerms, type MemoryTerms } from "./memory-terms.ts";
import type { TrailNote } from "../../src/trail/trail.ts";

/** An order log as plain data: what the memory adapter keeps, and takes a copy of where a database has a transaction. */
export interface MemoryRows {
  readonly workspace: string;
  readonly terms: MemoryTerms;
  readonly leaves: MemoryLeaf[];
  readonly trail: TrailNote[];
  readonly closes: PlacedClose[];
  readonly devices: Map<string, MemoryDevice>;
}

interface MemoryLeaf extends LogLeaf {
  readonly prev: string | null;
  readonly id: string | null;
}

interface MemoryDevice {
  mayWrite: boolean;
  readonly held: Map<string, { readonly event: PlacedCandidate; readonly want: string }>;
  /** By hash: whether something filled it. */
  readonly holes: Map<string, { filled: boolean }>;
  readonly expected: Map<string, Tip>;
  readonly quarantined: Map<string, PlacedCandidate>;
  readonly answered: Map<string, number>;
}

export const emptyRows = (workspace: string): MemoryRows => ({
  workspace,
  terms: emptyTerms(),
  leaves: [],
  trail: [],
  closes: [],
  devices: new Map(),
});

export function enrolInMemory(rows: MemoryRows, device: string): void {
  rows.devices.set(device, emptyDevice(true));
}

const emptyDevice = (mayWrite: boolean): MemoryDevice => ({
  mayWrite,
  held: new Map(),
  holes: new Map(),
  expected: new Map(),
  quarantined: new Map(),
  answered: new Map(),
});

/** The order log over plain data, written straight into it: the shortest reading of the port. */
export function memoryTransaction(rows: MemoryRows, now: string): LogTransaction {
  return {
    now,
    get term() {
      return currentTerm(rows);
    },
    terms: memoryTerms(rows.terms, rows.leaves),
    head: () => rows.leaves.length,
    termAt: (position) => (rows.leaves[position] as MemoryLeaf).term,
    hasId: (id) => rows.leaves.some((leaf) => leaf.id === id),
    appendOwn: (leaf) => append(rows, { ...leaf, ...ownPlace, received: now }),
    device: (device) => deviceLog(rows, device, now),
    takeQuarantined: () =>
      [...rows.devices].flatMap(([device, { mayWrite, quarantined }]) => {
        if (!mayWrite || quarantined.size === 0) return [];
        const events = [...quarantined.values()];
        quarantined.clear();
        return [{ device, events }];
      }),
    note: (row) => {
      rows.trail.push(row);
    },
    noteClose: (placed) => {
      rows.closes.push(placed);
    },
  };
}

const ownPlace = { device: "", prev: null, id: null, flags: [] } as const;

function currentTerm(rows: MemoryRows): string {
  const term = rows.terms.own.at(-1);
  assert.ok(term !== undefined, "the log was opened");
  return term;
}

function append(rows: MemoryRows, leaf: Omit<MemoryLeaf, "position" | "term">): number {
  // As strict as the tables: bytes are bytes.
  assert.ok(leaf.bytes instanceof Uint8Array);
  const position = rows.leaves.length;
  rows.leaves.push({ ...leaf, position, term: currentTerm(rows) });
  return position;
}

function deviceLog(rows: MemoryRows, device: string, now: string): DeviceLog {
  const own = rows.devices.get(device) ?? emptyDevice(false);
  const { held, holes, expected, quarantined, answered } = own;
  const placed = () => rows.leaves.filter((leaf) => leaf.type === "event" && leaf.device === device);
  const positionOf = (hash: string) => placed().find((leaf) => leaf.hash === hash)?.position;
  const isFollowed = (hash: string) => placed().some(({ prev }) => prev === hash);
  const isHole = (hash: string) => holes.get(hash)?.filled === false;
  const appendOf = (leaf: Omit<MemoryLeaf, "position" | "term" | "device" | "received">): number => {
    expected.delete(leaf.hash);
    return append(rows, { ...leaf, device, received: now });
  };
  return {
    device,
    mayWrite: () => own.mayWrite,
    positionOf,
    isHole,
    isHeld: (hash) => held.has(hash),
    hasOther: ({ run, seq, hash }) =>
      placed().some((leaf) => leaf.run === run && leaf.seq === seq && leaf.hash !== hash),
    isFollowed,
    numbersOn: ({ run, seq, prev }) => {
      const before = placed().find(({ hash }) => hash === prev);
      return seq === 1 || before === undefined || (before.run === run && before.seq === seq - 1);
    },
    place: ({ run, seq, prev, hash, bytes }, { id, flags }) =>
      appendOf({ type: "event", run, seq, prev, hash, bytes, id, flags }),
    placeHole: ({ run, seq, hash }) => {
      holes.set(hash, { filled: false });
      return appendOf({ type: "hole", run, seq, hash, prev: null, id: null, flags: [], bytes: new Uint8Array() });
    },
    fillHole: (hash) => holes.set(hash, { filled: true }),
    hold: (event, want) => held.set(event.hash, { event, want }),
    takeHeldOn: (want) => {
      const free = [...held.values()].filter((entry) => entry.want === want).map(({ event }) => event);
      for (const { hash } of free) held.delete(hash);
      return free.sort(byPlace);
    },
    heldCount: () => held.size,
    quarantine: (event) => {
      if (!quarantined.has(event.hash)) quarantined.set(event.hash, event);
    },
    countAnswer: (hash, answer) => {
      const times = (answered.get(`${hash} ${answer}`) ?? 0) + 1;
      answered.set(`${hash} ${answer}`, times);
      return times;
    },

    expect: (tip) => {
      if (!expected.has(tip.hash)) expected.set(tip.hash, tip);
    },
    tips: () =>
      placed()
        .filter(({ hash }) => !isFollowed(hash))
        .map(tipOf)
        .sort(byPlace),
    wants: () => {
      const needed = new Set([...[...held.values()].map(({ want }) => want), ...expected.keys()]);
      return [...needed].filter(
        (hash) => positionOf(hash) === undefined && !held.has(hash) && !holes.has(hash) && !quarantined.has(hash),
      );
    },
    openHoles: () => [...holes.keys()].filter(isHole),

    heldEnds: () => {
      const all = [...held.values()];
      return all.filter(({ event }) => all.every(({ want }) => want !== event.hash)).map(({ event }) => tipOf(event));
    },
    find: (hash) => {
      const leaf = placed().find((one) => one.hash === hash);
      const waiting = held.get(hash)?.event;
      return leaf ?? (waiting === undefined ? undefined : { ...waiting, position: null });
    },
    isBranched: (run) => placed().some((leaf) => leaf.run === run && leaf.flags.includes("branch")),
  };
}

const tipOf = ({ run, seq, hash }: Tip): Tip => ({ run, seq, hash });

const byPlace = (a: Tip, b: Tip) =>
  a.run === b.run ? a.seq - b.seq || (a.hash < b.hash ? -1 : 1) : a.run < b.run ? -1 : 1;
