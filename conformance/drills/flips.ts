import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeLedger } from "../src/ledger.ts";
import { operate } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { verifyFolder, type Finding } from "../src/verify-command.ts";
import type { Drill, DrillOptions, DrillOutcome } from "./story.ts";

const EVENTS = 20_000;
/** Copies of the folder that are worked on at once. */
const LANES = 2;

/** One bit of the stored database is turned over at a time: `verify` must say so, or nothing of the log may have changed. */
export const flips: Drill = {
  does: `single bit flips in a relay's database of ${EVENTS} orders, each found or proved harmless`,
  times: 100,
  run: (options) => flipBits(EVENTS, options),
};

type Outcome = "row" | "damage" | "harmless" | "missed";

/** Makes a ledger of so many orders and turns over `times` bits of it, one by one. */
export async function flipBits(events: number, { times, seed, say }: DrillOptions): Promise<DrillOutcome> {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-flips-"));
  try {
    const sound = path.join(folder, "relay");
    await makeLedger(sound, events);
    const before = await verifyFolder(sound);
    if (!before.sound) throw new Error(`the ledger was not sound to begin with: ${JSON.stringify(before.findings)}`);
    const lines = (await operate("log", "export", "--dir", sound)).split("\n");
    say(`A ledger of ${lines.length - 1} rows, and it verifies.`);
    const random = seededRandom(seed);
    const places = Array.from({ length: times }, () => ({ at: random(), bit: Math.floor(random() * 8) }));
    const counts: Record<Outcome, number> = { row: 0, damage: 0, harmless: 0, missed: 0 };
    const missed: string[] = [];
    let next = 0;
    const lane = async (number: number) => {
      const dir = path.join(folder, `copy-${number}`);
      await cp(sound, dir, { recursive: true });
      while (next < places.length) {
        const index = next;
        next += 1;
        const { at, bit } = places[index] as { at: number; bit: number };
        const file = path.join(dir, "relay.sqlite");
        const offset = flip(file, at, bit);
        const { outcome, says } = await judge(dir, lines);
        flip(file, at, bit);
        counts[outcome] += 1;
        if (outcome === "missed") missed.push(`seed ${seed}, flip ${index + 1}, byte ${offset}, bit ${bit}: ${says}`);
        say(`Flip ${index + 1}, byte ${offset}: ${says}`);
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, times) }, (_, number) => lane(number)));
    const ok = counts.missed === 0;
    say(
      ok
        ? `${times} flips: ${counts.row} named by row, ${counts.damage} reported as damage of the file, ${counts.harmless} in bytes that hold nothing of the log.`
        : `${counts.missed} flips changed the log and were not found.`,
    );
    return { drill: "flips", seed, flips: times, rows: lines.length - 1, ...counts, missedFlips: missed, ok };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Turns one bit over and answers its byte's place. The same again puts it back. */
function flip(file: string, share: number, bit: number): number {
  const descriptor = openSync(file, "r+");
  try {
    const offset = Math.floor(share * fstatSync(descriptor).size);
    const byte = new Uint8Array(1);
    readSync(descriptor, byte, 0, 1, offset);
    byte[0] = (byte[0] as number) ^ (1 << bit);
    writeSync(descriptor, byte, 0, 1, offset);
    return offset;
  } finally {
    closeSync(descriptor);
  }
}

async function judge(dir: string, lines: readonly string[]): Promise<{ outcome: Outcome; says: string }> {
  const { findings } = await verifyFolder(dir);
  const bad = findings.filter(({ sound }) => !sound);
  const rows = bad.filter(namesRow);
  const told = bad.map(({ part, says }) => `${part}: ${says}`).join("; ");
  const after = await operate("log", "export", "--dir", dir).catch(() => null);
  if (after !== null) {
    const changed = firstDifference(lines, after.split("\n"));
    if (changed !== null) {
      // What an auditor is given has changed: exactly this row must be named, or the file called damaged.
      const isNamed = rows.some(({ part, says }) => isLogPart(part) && says.startsWith(`row ${changed} `));
      if (isNamed) return { outcome: "row", says: told };
      const isDamage = bad.length > rows.length;
      return isDamage ? { outcome: "damage", says: told } : { outcome: "missed", says: `row ${changed}: ${told}` };
    }
  } else if (bad.length === 0) {
    return { outcome: "missed", says: "the log cannot be exported, and verify found nothing" };
  }
  if (rows.length > 0) return { outcome: "row", says: told };
  if (bad.length > 0) return { outcome: "damage", says: told };
  return { outcome: "harmless", says: "the export is the same to the byte" };
}

const isLogPart = (part: string) => part === "order log" || part === "hash tree";
const namesRow = ({ says }: Finding) => !says.startsWith("the database file is damaged");

function firstDifference(a: readonly string[], b: readonly string[]): number | null {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) if (a[index] !== b[index]) return index;
  return null;
}
