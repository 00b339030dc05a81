import { assert } from "../core/assert.ts";
import { createFileCache } from "./file-cache.ts";
import type { Files } from "./files.ts";
import { createOrderedKeys } from "./ordered-keys.ts";
import { decodeSegment, encodeSegment, entryBytes, type SegmentEntry } from "./segment-file.ts";
import { byEffect, commitName, fileOf, parseSegmentName, replaces, type SegmentName } from "./segment-name.ts";
import type { Storage, StorageDamage, StorageEntry, StorageWrite } from "./storage.ts";

export interface SegmentOptions {
  /** Where in `files` the segments lie. */
  readonly folder: string;
  /** Commits that are merged at once. */
  readonly mergeCommits: number;
  /** Largest file of a merge. */
  readonly partBytes: number;
  /** Values up to this size stay in memory; larger ones are read when asked for. */
  readonly residentBytes: number;
  /** Bytes of files kept for reading neighbouring large values. */
  readonly cacheBytes: number;
}

const usual: SegmentOptions = {
  folder: "segments",
  mergeCommits: 64,
  partBytes: 1_048_576,
  residentBytes: 4_096,
  cacheBytes: 8_388_608,
};

/**
 * Files that were replaced stay for this many later commits. With the last three unsynced writes torn, deleting at
 * once lost data in 31 of 60 runs, deferring by eight writes in none.
 */
const KEEP_COMMITS = 8;
const KEY = /^[A-Za-z0-9._/-]{1,200}$/;
/** Notes of the storage itself: no key of a caller can start like this. */
const UNFINISHED = "~unfinished/";
const isCallers = (key: string) => !key.startsWith(UNFINISHED);

export interface SegmentStorage extends Storage {
  readonly damage: readonly StorageDamage[];
}

interface Location {
  readonly name: SegmentName;
  readonly offset: number;
  readonly length: number;
  /** The value where it is small enough to stay in memory. */
  readonly value: Uint8Array | null;
}

/** Commits, and merges of earlier commits, that are read as one: oldest first, together they are the storage. */
interface Unit {
  readonly names: readonly SegmentName[];
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly merged: boolean;
}

interface Waiting {
  readonly writes: readonly StorageWrite[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The storage over files that are written once: each commit is one file with a checksum, under a number that only
 * grows. Nothing is renamed, appended to or overwritten, and a replaced file is removed only some writes later, so
 * that a torn newest file never hides an older one. Commits that wait together share a file.
 */
export async function openSegments(files: Files, options: Partial<SegmentOptions> = {}): Promise<SegmentStorage> {
  const { folder, mergeCommits, partBytes, residentBytes, cacheBytes } = { ...usual, ...options };
  const pathOf = (name: SegmentName) => `${folder}/${fileOf(name)}`;
  const cache = createFileCache(files, cacheBytes);
  const index = new Map<string, Location>();
  /** Keys whose removal has to be kept, because an older file may still hold them; with the file that says so. */
  const removals = new Map<string, number>();
  let units: Unit[] = [];
  let nextNumber = 0;
  /** Numbers of files that were never promised, to be noted with the next commit. */
  let unnoted: number[] = [];
  /** Replaced files, oldest first, and how many commits must still follow. */
  let doomed: { readonly names: readonly SegmentName[]; commits: number }[] = [];

  const keep = (name: SegmentName, file: Uint8Array, entries: readonly SegmentEntry[]) => {
    for (const { key, at } of entries) {
      if (at === null) {
        index.delete(key);
        removals.set(key, name.number);
        continue;
      }
      removals.delete(key);
      const value = at.length <= residentBytes ? file.slice(at.offset, at.offset + at.length) : null;
      index.set(key, { name, ...at, value });
    }
  };

  // ---- opening -----------------------------------------------------------------------------------------------------
  const damage: StorageDamage[] = [];
  {
    const names = (await files.list(folder))
      .flatMap((file) => parseSegmentName(file) ?? [])
      .sort((a, b) => a.number - b.number);
    // The numbers of a merge that was not finished stay its own.
    for (const { number, merge } of names)
      nextNumber = Math.max(nextNumber, merge === null ? number + 1 : merge.first + merge.parts);
    const whole: { name: SegmentName; file: Uint8Array; entries: readonly SegmentEntry[] }[] = [];
    const bad: { name: SegmentName; reason: StorageDamage["reason"]; bytes: number }[] = [];
    for (const name of names) {
      let file: Uint8Array | undefined;
      try {
        file = await files.read(pathOf(name));
      } catch {
        file = undefined;
      }
      const decoded = file === undefined ? undefined : decodeSegment(file);
      if (file !== undefined && decoded?.ok === true) whole.push({ name, file, entries: decoded.value });
      else {
        const reason = decoded?.ok === false ? decoded.error : "unreadable";
        bad.push({ name, reason, bytes: file?.length ?? 0 });
      }
    }
    const partsHere = new Map<number, number>();
    for (const { name } of whole)
      if (name.merge !== null) partsHere.set(name.merge.first, (partsHere.get(name.merge.first) ?? 0) + 1);
    const isComplete = ({ merge }: SegmentName) => merge !== null && partsHere.get(merge.first) === merge.parts;
    const complete = whole
      .map(({ name }) => name)
      .filter((name) => name.number === name.merge?.first && isComplete(name));
    const live = whole.filter(({ name }) => !complete.some((merge) => replaces(merge, name)));
    for (const { name, file, entries } of live.sort((a, b) => byEffect(a.name, b.name))) {
      keep(name, file, entries);
      const last = units.at(-1);
      if (name.merge !== null && last?.names[0]?.merge?.first === name.merge.first)
        units[units.length - 1] = { ...last, names: [...last.names, name], bytes: last.bytes + file.length };
      else units.push({ names: [name], from: name.from, to: name.to, bytes: file.length, merged: isComplete(name) });
    }
    const commitsAfter = (number: number) =>
      whole.filter(({ name }) => name.merge === null && name.number > number).length;
    for (const merge of complete) {
      const replaced = whole
        .filter(({ name }) => replaces(merge, name))
        .map(({ name }) => name)
        .sort((a, b) => a.number - b.number);
      const last = merge.number + (merge.merge?.parts ?? 1) - 1;
      if (replaced.length > 0) doomed.push({ names: replaced, commits: KEEP_COMMITS - commitsAfter(last) });
    }
    for (const { name, reason, bytes } of bad) {
      const noted = index.has(UNFINISHED + name.number);
      // A write that no whole one follows was under way at a stop; and while a merge's sources stay, its parts are no loss.
      const unfinished = noted || commitsAfter(name.number) < (name.merge === null ? 1 : KEEP_COMMITS);
      if (unfinished && !noted) unnoted.push(name.number);
      damage.push({ where: pathOf(name), reason: unfinished ? "unfinished" : reason, bytes });
    }
  }
  const keys = createOrderedKeys([...index.keys()].filter(isCallers));

  // ---- committing --------------------------------------------------------------------------------------------------
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let merging: Promise<void> | undefined;
  let closed = false;

  const writeCommit = async (batch: readonly Waiting[]) => {
    const notes = unnoted;
    const name = commitName(nextNumber);
    nextNumber += 1;
    const { file, entries } = encodeSegment([
      ...notes.map((number) => ({ key: UNFINISHED + number, value: new Uint8Array() })),
      ...batch.flatMap(({ writes }) => writes),
    ]);
    try {
      await files.write(pathOf(name), file);
    } catch (error) {
      unnoted = [...unnoted, name.number];
      throw error;
    }
    unnoted = unnoted.filter((number) => !notes.includes(number));
    keep(name, file, entries);
    for (const { key, at } of entries) {
      if (at === null) keys.remove(key);
      else if (isCallers(key)) keys.add(key);
    }
    units.push({ names: [name], from: name.from, to: name.to, bytes: file.length, merged: false });
    for (const replaced of doomed) replaced.commits -= 1;
  };

  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await writeCommit(batch);
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
      tidyUp();
    }
    running = undefined;
  };

  // ---- merging, in the background ----------------------------------------------------------------------------------
  const tidyUp = () => {
    if (merging !== undefined || closed) return;
    const commits = units.filter(({ merged }) => !merged).length;
    const due = doomed.some((replaced) => replaced.commits <= 0);
    if (commits < mergeCommits && !due) return;
    merging = (async () => {
      await removeDoomed();
      if (commits >= mergeCommits) await merge();
    })().finally(() => {
      merging = undefined;
    });
  };

  /** Oldest first, one after the other: what is left at any moment still reads as the same storage. */
  const removeDoomed = async () => {
    const due = doomed.filter(({ commits }) => commits <= 0);
    doomed = doomed.filter(({ commits }) => commits > 0);
    for (const { names } of due) {
      for (const name of names) {
        cache.forget(pathOf(name));
        // What cannot be removed now is found again at the next start.
        await files.remove(pathOf(name)).catch(() => {});
      }
    }
  };

  const merge = async () => {
    // The newest units, and older ones while they are not much larger than what is merged already: so each byte is
    // written again about as often as the storage has doubled.
    let first = units.length;
    let bytes = 0;
    let from = Number.POSITIVE_INFINITY;
    for (let at = units.length - 1; at >= 0; at -= 1) {
      const unit = units[at] as Unit;
      // What a stop left of an unfinished merge overlaps its sources: then all of them go in.
      if (bytes > 0 && unit.merged && unit.bytes > 2 * bytes && unit.to < from) break;
      bytes += unit.bytes;
      from = Math.min(from, unit.from);
      first = at;
    }
    const sources = units.slice(first);
    if (first === 0) from = 0;
    const to = (sources.at(-1) as Unit).to;
    const within = new Set(sources.flatMap(({ names }) => names.map(({ number }) => number)));
    const moved = [...index].filter(([, { name }]) => within.has(name.number));
    const gone = first === 0 ? [] : [...removals].filter(([, number]) => within.has(number)).map(([key]) => key);
    const forgotten = first === 0 ? [...removals].filter(([, number]) => within.has(number)) : [];

    const parts: { key: string; location: Location | null }[][] = [[]];
    let size = 0;
    for (const [key, location] of [...gone.map((key) => [key, null] as const), ...moved]) {
      const bytesHere = entryBytes(key.length, location?.length ?? 0);
      if (size > 0 && size + bytesHere > partBytes) {
        parts.push([]);
        size = 0;
      }
      parts.at(-1)?.push({ key, location });
      size += bytesHere;
    }
    const firstNumber = nextNumber;
    nextNumber += parts.length;
    const written: { name: SegmentName; file: Uint8Array; entries: readonly SegmentEntry[] }[] = [];
    try {
      for (const [part, content] of parts.entries()) {
        const number = firstNumber + part;
        const name: SegmentName = { number, from, to, merge: { first: firstNumber, parts: parts.length } };
        const writes: StorageWrite[] = [];
        for (const { key, location } of content)
          writes.push({ key, value: location === null ? null : await valueAt(location) });
        const { file, entries } = encodeSegment(writes);
        await files.write(pathOf(name), file);
        written.push({ name, file, entries });
      }
    } catch {
      // A full or failing disk: the sources stay what they were, the parts are removed, and later commits try again.
      unnoted = [...unnoted, ...parts.map((_, part) => firstNumber + part)];
      for (const { name } of written) await files.remove(pathOf(name)).catch(() => {});
      return;
    }
    const before = new Map(moved);
    for (const { name, file, entries } of written) {
      for (const { key, at } of entries) {
        // A commit that came meanwhile stays the newest.
        if (at === null) {
          if (within.has(removals.get(key) ?? -1)) removals.set(key, name.number);
        } else if (index.get(key) === before.get(key)) {
          const value = at.length <= residentBytes ? file.slice(at.offset, at.offset + at.length) : null;
          index.set(key, { name, ...at, value });
        }
      }
    }
    for (const [key, number] of forgotten) if (removals.get(key) === number) removals.delete(key);
    units = [
      ...units.slice(0, first),
      {
        names: written.map(({ name }) => name),
        from,
        to,
        bytes: written.reduce((sum, { file }) => sum + file.length, 0),
        merged: true,
      },
      ...units.slice(first + sources.length),
    ];
    const replaced = sources.flatMap(({ names }) => names).sort((a, b) => a.number - b.number);
    doomed.push({ names: replaced, commits: KEEP_COMMITS });
  };

  // ---- reading -----------------------------------------------------------------------------------------------------
  const valueAt = async (location: Location): Promise<Uint8Array> => {
    if (location.value !== null) return location.value;
    const file = await cache.read(pathOf(location.name));
    return file.slice(location.offset, location.offset + location.length);
  };
  /** A read that starts after a commit was called sees it. */
  let lastCommit: Promise<unknown> = Promise.resolve();
  const valueOf = async (key: string): Promise<Uint8Array | undefined> => {
    for (;;) {
      const location = index.get(key);
      if (location === undefined) return undefined;
      try {
        return await valueAt(location);
      } catch (error) {
        // A merge may have moved the value and removed its old file meanwhile.
        if (index.get(key) === location) throw error;
      }
    }
  };

  return {
    damage,
    get: async (key) => {
      await lastCommit;
      return valueOf(key);
    },
    range: async (prefix) => {
      await lastCommit;
      const found: StorageEntry[] = [];
      for (const key of keys.withPrefix(prefix)) {
        const value = await valueOf(key);
        if (value !== undefined) found.push({ key, value });
      }
      return found;
    },
    commit: (writes) => {
      for (const { key } of writes) assert(KEY.test(key), `a storage key is made of [A-Za-z0-9._/-]: ${key}`);
      if (closed) return Promise.reject(new Error("the storage is closed"));
      // Not `slice`: of a Node buffer it would be a view.
      const copied = writes.map(({ key, value }) => ({ key, value: value === null ? null : new Uint8Array(value) }));
      const result = new Promise<void>((done, failed) => {
        waiting.push({ writes: copied, done, failed });
      });
      lastCommit = result.catch(() => {});
      running ??= run();
      return result;
    },
    close: async () => {
      closed = true;
      await running;
      await merging;
    },
  };
}
