import type { Claim, Tip } from "@sampai/engine/wire";
import type { Clock } from "@sampai/engine/core";
import { createHash } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { boardByName } from "../../src/boards/index.ts";
import type { BoardSnapshot } from "../../src/boards/board.ts";
import type { TodayRow } from "../../src/boards/today.ts";
import type { TopLine } from "../../src/boards/completeness.ts";
import { openForReading } from "../../src/database/connection.ts";
import { startWriter, type Writer } from "../../src/database/writer.ts";
import { createAnomalies } from "../../src/followers/anomalies.ts";
import { arrivals } from "../../src/followers/arrivals.ts";
import { attendance } from "../../src/followers/attendance.ts";
import { contacts } from "../../src/followers/contacts.ts";
import { openFollowers } from "../../src/followers/database.ts";
import type { Follower } from "../../src/followers/follower.ts";
import { createJudge } from "../../src/followers/judge.ts";
import type { Masters } from "../../src/followers/masters.ts";
import { createNoteQueue } from "../../src/followers/notes.ts";
import { createRunner } from "../../src/followers/runner.ts";
import { createStreams, type Streams } from "../../src/followers/streams.ts";
import { today } from "../../src/boards/today.ts";
import { createFieldPhone, type Captured, type FieldPhone } from "./field-phone.ts";
import { stillMasters } from "./still-masters.ts";
import { idleClaim } from "../idle-claim.ts";

/** A zone in which it is ten in the morning now, so that a test's day is long enough at any hour. */
export function zoneAtTen(): string {
  const hour = new Date().getUTCHours();
  const ahead = ((10 - hour + 36) % 24) - 12;
  // POSIX names turn the sign round: ten hours ahead is GMT-10.
  return ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

export function clockAt(start: number): Clock & { set(ms: number): void } {
  let ms = start;
  return {
    boot: "test",
    wallMs: () => ms,
    tickMs: () => ms,
    after: () => () => undefined,
    set: (to) => {
      ms = to;
    },
  };
}

/** A data folder with the relay's own writer, and followers run by hand. */
export interface RelayFolder {
  readonly dir: string;
  readonly writer: Writer;
  readonly relay: DatabaseSync;
  enrol(device: string, rep: string): Promise<FieldPhone>;
  append(phone: FieldPhone, captured: readonly Captured[]): Promise<void>;
  claim(phone: FieldPhone, tip: Tip | null, change?: Partial<Claim>): Promise<void>;
  close(): Promise<void>;
}

export async function openRelayFolder(dir?: string): Promise<RelayFolder> {
  const folder = dir ?? (await mkdtemp(path.join(tmpdir(), "sampai-followers-")));
  const writer = await startWriter(folder, (reason) => {
    throw new Error(reason);
  });
  await writer.run("openLog", { workspace: "test", nonce: "test", relayStarts: true });
  const relay = openForReading(folder);
  return {
    dir: folder,
    writer,
    relay,
    enrol: async (device, rep) => {
      const codeHash = createHash("sha256").update(device).digest("hex");
      await writer.run("addPerson", { person: { code: rep, name: `Rep ${rep}`, role: "rep", territories: ["N9"] } });
      await writer.run("putEnrolment", { codeHash, person: rep, expires: "2099-01-01T00:00:00.000Z" });
      await writer.run("enrol", {
        codeHash,
        device,
        publicKey: codeHash,
        tokenHash: codeHash,
        platform: "test",
        certificate: "{}",
        certificateSignature: "",
        person: rep,
        role: "rep",
      });
      return createFieldPhone(device, rep);
    },
    append: async (phone, captured) => {
      const events = captured.map(({ candidate }) => candidate);
      await writer.run("append", { device: phone.device, events, via: "websocket" });
    },
    claim: async (phone, tip, change = {}) => {
      const tips = tip === null ? [] : [tip];
      const at = new Date().toISOString();
      const claim = idleClaim({ workspace: "test", device: phone.device, at, tips, ...change });
      await writer.run("claim", { device: phone.device, claim });
    },
    close: async () => {
      relay.close();
      await writer.close();
    },
  };
}

export const tipOf = ({ candidate: { run, seq, hash } }: Captured): Tip => ({ run, seq, hash });

export const everyFollower = (): readonly Follower[] => [
  contacts,
  arrivals,
  attendance,
  createJudge(),
  createAnomalies(),
  today,
];

/** Followers over a folder, run until nothing is left to do. */
export function follow(
  folder: RelayFolder,
  options: {
    readonly clock: Clock;
    readonly zone: string;
    readonly masters?: Masters;
    readonly followers?: readonly Follower[];
    readonly db?: DatabaseSync;
    readonly streams?: Streams;
  },
) {
  const { relay, dir } = folder;
  const { clock, zone, masters = stillMasters({}), followers = everyFollower() } = options;
  const db = options.db ?? openFollowers(dir);
  const notes = createNoteQueue(db, relay);
  const changed = new Set<string>();
  const runner = createRunner({
    db,
    streams: options.streams ?? createStreams(relay),
    followers,
    masters,
    notes,
    clock,
    zone,
    changed: (topic) => changed.add(topic),
  });
  return {
    db,
    notes,
    runner,
    changed,
    run: () => {
      while (runner.turn() || runner.rest());
    },
    board: (
      connected: Readonly<Record<string, string>> = {},
    ): { top: TopLine & Record<string, unknown>; rows: readonly TodayRow[] } => {
      const world = {
        db,
        relay,
        masters,
        nowMs: clock.wallMs(),
        zone,
        connected: new Map(Object.entries(connected)),
        longestSilenceMs: 105_000,
      };
      return boardByName("today")?.snapshot(world) as unknown as BoardSnapshot & {
        top: TopLine & Record<string, unknown>;
        rows: readonly TodayRow[];
      };
    },
  };
}

/** Everything that followers have made, table by table: two that followed the same must have the same. */
export function everythingIn(db: DatabaseSync): Record<string, unknown[]> {
  const names = db.prepare("select name from sqlite_master where type = 'table' order by name").all() as {
    name: string;
  }[];
  const apart = new Set(["follower", "outgoing_note", "alert"]);
  return Object.fromEntries(
    names
      .filter(({ name }) => !apart.has(name))
      .map(({ name }) => [
        name,
        db
          .prepare(`select * from ${name}`)
          .all()
          .map((row) => JSON.stringify(row))
          .toSorted(),
      ]),
  );
}
