import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { makeLedger } from "../src/ledger.ts";
import { operate } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { mapPages, readRows, type StoredRow } from "../src/stored-rows.ts";
import { verifyFolder, verifyFolders, type Finding } from "../src/verify-command.ts";
import type { Drill, DrillOptions, DrillOutcome } from "./story.ts";

const EVENTS = 20_000;
/** Copies that one run of `verify` walks, so that its start is paid once for all of them. */
const COPIES = 10;
/** A sentence of progress comes so often. */
const PROGRESS_FLIPS = 50;
const DATABASE = "relay.sqlite";

/** One bit of the stored database is turned over at a time: `verify` must say so, or nothing of the log may have changed. */
export const flips: Drill = {
  does: `single bit flips in a relay's database of ${EVENTS} orders, each found or proved harmless`,
  times: 100,
  run: (options) => flipBits(EVENTS, options),
};

/**
 * `row`: the row that changed is named. `damage`: the file is called damaged. `harmless`: nothing is said, log and trail
 * are as they were, and the log's export is the same to the byte. `missed`: none of these.
 */
type Outcome = "row" | "damage" | "harmless" | "missed";
interface Judged {
  readonly outcome: Outcome;
  /** The table or index whose page was hit; "free space" where it was nobody's. */
  readonly owner: string;
  /** A row changed that carries no proof, such as the time at which a document's change arrived. */
  readonly isUnproved?: boolean;
  readonly says: string;
}

/** Makes a ledger of so many orders and turns over `times` bits of it, one by one. */
export async function flipBits(events: number, { times, seed, say }: DrillOptions): Promise<DrillOutcome> {
  const folder = await temporaryFolder("flips");
  try {
    const sound = path.join(folder, "relay");
    await makeLedger(sound, events);
    const before = await verifyFolder(sound);
    if (!before.sound) throw new Error(`the ledger was not sound to begin with: ${JSON.stringify(before.findings)}`);
    const judge = await judgeOf(sound);
    say(`A ledger of ${judge.rows} rows, and it verifies. Now one bit after another is turned over.`);
    const random = seededRandom(seed);
    const places = Array.from({ length: times }, (_, index) => ({
      flip: index + 1,
      at: random(),
      bit: Math.floor(random() * 8),
    }));
    const counts: Record<Outcome, number> = { row: 0, damage: 0, harmless: 0, missed: 0 };
    const unproved: Record<string, number> = {};
    const missed: string[] = [];
    let done = 0;
    const lane = async (number: number) => {
      const copies: string[] = [];
      for (let copy = 0; copy < Math.min(COPIES, times); copy += 1) {
        const dir = path.join(folder, `copy-${number}-${copy}`);
        await cp(sound, dir, { recursive: true });
        copies.push(dir);
      }
      while (places.length > 0) {
        const struck = places.splice(0, COPIES).map((place, index) => {
          const dir = copies[index] as string;
          return { ...place, dir, offset: turnOver(path.join(dir, DATABASE), place.at, place.bit) };
        });
        const verified = await verifyFolders(struck.map(({ dir }) => dir));
        for (const [index, { flip, at, bit, dir, offset }] of struck.entries()) {
          const { outcome, owner, says, isUnproved } = await judge.look(dir, offset, verified[index]?.findings ?? []);
          turnOver(path.join(dir, DATABASE), at, bit);
          counts[outcome] += 1;
          done += 1;
          if (isUnproved === true) unproved[owner] = (unproved[owner] ?? 0) + 1;
          if (outcome === "missed") {
            missed.push(`seed ${seed}, flip ${flip}, byte ${offset}, bit ${bit}, in ${owner}: ${says}`);
            say(`NOT FOUND: ${missed.at(-1)}`);
          }
          if (done % PROGRESS_FLIPS === 0 && done < times) say(`${done} flips: ${told(counts)}.`);
        }
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, (_, number) => lane(number)));
    const ok = counts.missed === 0;
    say(
      ok
        ? `${times} flips: ${told(counts)}.${unprovedRows(unproved)}`
        : `${counts.missed} of ${times} flips changed what is stored and were not found.`,
    );
    return { drill: "flips", seed, flips: times, rows: judge.rows, ...counts, unproved, missedFlips: missed, ok };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const told = ({ row, damage, harmless }: Record<Outcome, number>) =>
  `${row} named by row, ${damage} reported as damage of the file, ${harmless} with an export that is the same to the byte`;

function unprovedRows(unproved: Readonly<Record<string, number>>): string {
  const count = Object.values(unproved).reduce((sum, flipped) => sum + flipped, 0);
  return count === 0
    ? ""
    : ` Of the last, ${count} changed a row that carries no proof (${Object.keys(unproved).join(", ")}).`;
}

/** Turns one bit over and answers its byte's place. The same again puts it back. */
function turnOver(file: string, share: number, bit: number): number {
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

/** Knows the sound folder, and judges what `verify` found in a copy with one flipped byte. */
async function judgeOf(sound: string) {
  const file = path.join(sound, DATABASE);
  const pages = mapPages(file);
  const rowsOf = new Map([...pages.tables].map((table) => [table, readRows(file, table) ?? []]));
  const exported = await operate("log", "export", "--dir", sound);

  const look = async (dir: string, offset: number, findings: readonly Finding[]): Promise<Judged> => {
    const owner = pages.owners.get(Math.floor(offset / pages.pageBytes) + 1) ?? "free space";
    const bad = findings.filter(({ sound: isSound }) => !isSound);
    const says = bad.map(({ part, says: words }) => `${part}: ${words}`).join("; ");
    const table = rowsOf.get(owner);
    const changed = table === undefined ? null : changedRow(table, readRows(path.join(dir, DATABASE), owner));
    if (bad.length === 0) {
      if (changed !== null && owner in NUMBERED) {
        return { outcome: "missed", owner, says: `row ${changed} changed, and verify found nothing` };
      }
      const isSame = (await operate("log", "export", "--dir", dir).catch(() => null)) === exported;
      return isSame
        ? { outcome: "harmless", owner, isUnproved: changed !== null, says: "the export is the same to the byte" }
        : { outcome: "missed", owner, says: "verify found nothing, and the log's export is not the same" };
    }
    if (changed !== null && bad.some((finding) => isNamed(owner, changed, finding))) {
      return { outcome: "row", owner, says };
    }
    if (bad.some(isDamage)) return { outcome: "damage", owner, says };
    return { outcome: "missed", owner, says: `row ${changed} changed, and verify says ${says}` };
  };
  return { rows: rowsOf.get("log")?.length ?? 0, look };
}

/** The parts of `verify` that name the rows of a table by number. The rows of other tables are named in their own words. */
const NUMBERED: Readonly<Record<string, readonly string[]>> = { log: ["order log", "hash tree"], trail: ["trail"] };

function isNamed(table: string, row: string, finding: Finding): boolean {
  const parts = NUMBERED[table];
  if (parts === undefined) return !isDamage(finding);
  return parts.includes(finding.part) && finding.says.startsWith(`row ${row} `);
}

const isDamage = ({ says }: Finding) => says.startsWith("the database file is damaged");

/** The first row that is not as it was; null where all are, or where the table cannot be read any more. */
function changedRow(before: readonly StoredRow[], after: readonly StoredRow[] | null): string | null {
  if (after === null) return null;
  const index = before.findIndex(({ content }, at) => content !== after[at]?.content);
  return before[index]?.name ?? null;
}
