import type { Clock } from "@sampai/engine/core";
import { statfsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { packsOf } from "../reference/stored-packs.ts";
import { createAlertDesk } from "./alerts/desk.ts";
import { readDebts } from "./debts.ts";
import { createFollowers } from "./index.ts";
import { createNoteQueue, type NoteQueue } from "./notes.ts";
import { questions, type AskedWorld, type QuestionName } from "./questions.ts";
import { createRelayMasters } from "./relay-masters.ts";
import { createRunner, type Runner } from "./runner.ts";
import { createStreams } from "./streams.ts";
import type { FollowersData } from "./wire.ts";

/** All followers over two open databases, without a thread: the thread runs it, and so can a command where no relay runs. */
export interface Watchtower {
  readonly runner: Runner;
  readonly notes: NoteQueue;
  /** The devices with an open connection now, and since when: RFC 3339 UTC. */
  connected(since: ReadonlyMap<string, string>): void;
  /** Looks for alerts once. */
  lookAround(): void;
  ask(name: QuestionName, input: unknown): unknown;
}

export function createWatchtower(deps: {
  readonly relay: DatabaseSync;
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly data: FollowersData;
  readonly changed: (topic: string) => void;
}): Watchtower {
  const { relay, db, clock, data, changed } = deps;
  const packs = packsOf(relay);
  const masters = createRelayMasters({ relay, db, packs, workspace: data.workspace });
  const notes = createNoteQueue(db, relay);
  const streams = createStreams(relay);
  const followers = createFollowers(relay, packs);
  const runner = createRunner({ db, streams, followers, masters, notes, clock, zone: data.zone, changed });
  const desk = createAlertDesk(db, notes);
  let connected: ReadonlyMap<string, string> = new Map();
  const world = (): AskedWorld => ({
    db,
    relay,
    masters,
    nowMs: clock.wallMs(),
    zone: data.zone,
    connected,
    longestSilenceMs: data.longestSilenceMs,
    alerts: desk.standing(clock.wallMs()),
    followers: runner.status(),
  });
  return {
    runner,
    notes,
    connected: (since) => {
      connected = since;
      changed("board:today");
      changed("fleet");
    },
    lookAround: () => {
      const now = world();
      if (desk.look({ ...now, debts: readDebts(relay, db), disk: diskOf(data.dataDir) })) changed("alerts");
    },
    ask: (name, input) => (questions[name] as (world: AskedWorld, input: unknown) => unknown)(world(), input),
  };
}

function diskOf(dataDir: string) {
  const { bavail, bsize, blocks } = statfsSync(dataDir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
