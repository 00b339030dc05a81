import { startAutomerge } from "@sampai/engine/adapters/automerge";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import { constants, setPriority } from "node:os";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { openForReading } from "../database/connection.ts";
import { openSoundFollowers } from "./database.ts";
import { createWatchtower } from "./watchtower.ts";
import type { FollowersData, FromFollowers, ToFollowers } from "./wire.ts";

// The followers' own thread: whatever they do, and however they break, the thread that answers phones does not notice.

const LOOK_MS = 15_000;
/** Tells about boards and lists are gathered this long, so that a drain of a thousand orders is not a thousand snapshots. */
const TELL_MS = 150;
/** From one round of pages to the next: a drain is followed in large pages, not order by order. Full ones take as long. */
const ROUND_MS = 20;
/** While commits keep coming, a round is followed by a pause so many times as long: phones wait for what processors do besides. */
const DRAINING_PAUSES = 8;
/** Also where a round took long because it had to wait for a processor: boards show a drain while it goes on. */
const LONGEST_PAUSE_MS = 1_000;
/** Followers that are this many rows behind pause no more: boards must not fall behind without end. */
const FAR_BEHIND_ROWS = 50_000;
/** What followers leave for later takes one part of the time in so many, as long as phones may be sending. */
const REST_PARTS = 20;
const NOTES = 200;
const NOTES_AGAIN_MS = 2_000;

const port = parentPort as MessagePort;
const data = workerData as FollowersData;
// Where processors are scarce, phones are answered first. Only Linux lets one thread step back; elsewhere 0 is all of them.
if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
await startAutomerge();
const clock = createSystemClock();
const topics = new Set<string>();
let telling = false;
const watchtower = createWatchtower({
  relay: openForReading(data.dataDir),
  db: openSoundFollowers(data.dataDir, (reason) =>
    port.postMessage({ type: "damaged", reason } satisfies FromFollowers),
  ),
  clock,
  data,
  changed: (topic) => {
    topics.add(topic);
    if (telling) return;
    telling = true;
    clock.after(TELL_MS, () => {
      telling = false;
      send({ type: "changed", topics: [...topics] });
      topics.clear();
    });
  },
});

let scheduled = false;
let startedMs = -ROUND_MS;
/** Something was committed since the last round began. */
let committed = false;
let pauseMs = 0;
let noting = false;
let resting = false;
let cancelRetry = () => {};
const send = (message: FromFollowers) => port.postMessage(message);

function work(): void {
  if (scheduled) return;
  scheduled = true;
  // Between two rounds the thread answers what it is asked.
  clock.after(Math.max(0, startedMs + Math.max(ROUND_MS, pauseMs) - clock.tickMs()), () => {
    scheduled = false;
    startedMs = clock.tickMs();
    const isDraining = committed;
    committed = false;
    const more = watchtower.runner.turn();
    const tookMs = clock.tickMs() - startedMs;
    pauseMs = isDraining && rowsBehind() < FAR_BEHIND_ROWS ? Math.min(tookMs * DRAINING_PAUSES, LONGEST_PAUSE_MS) : 0;
    sendNotes();
    if (more) return work();
    rest();
    cancelRetry();
    const retryMs = watchtower.runner.retryInMs();
    if (retryMs !== null) cancelRetry = clock.after(retryMs + 1, work);
  });
}

const rowsBehind = () => Math.max(...watchtower.runner.status().map(({ behind }) => behind));

function rest(): void {
  if (resting) return;
  const beganMs = clock.tickMs();
  if (!watchtower.runner.rest()) return;
  sendNotes();
  resting = true;
  clock.after(Math.max(ROUND_MS, (clock.tickMs() - beganMs) * REST_PARTS), () => {
    resting = false;
    rest();
  });
}

function sendNotes(): void {
  if (noting) return;
  const notes = watchtower.notes.next(NOTES);
  const last = notes.at(-1);
  if (last === undefined) return;
  noting = true;
  send({ type: "note", number: last.number, rows: notes.map(({ row }) => row) });
}

function lookAround(): void {
  // Followers may have been made to forget without any commit.
  work();
  watchtower.lookAround();
  sendNotes();
  // Standing at a silent moment is news too: a board's people fall silent without any event.
  for (const topic of ["board:today", "fleet"]) topics.add(topic);
  send({ type: "changed", topics: [...topics] });
  topics.clear();
  clock.after(LOOK_MS, lookAround);
}

port.on("message", (message: ToFollowers) => {
  switch (message.type) {
    case "committed":
      committed = true;
      return work();
    case "connected":
      return watchtower.connected(message.since);
    case "noted":
      watchtower.notes.written(message.number);
      noting = false;
      return sendNotes();
    case "not-noted":
      clock.after(NOTES_AGAIN_MS, () => {
        noting = false;
        sendNotes();
      });
      return;
    case "ask":
      try {
        send({ type: "answer", n: message.n, value: watchtower.ask(message.name, message.input) });
      } catch (error) {
        send({
          type: "unanswered",
          n: message.n,
          reason: error instanceof Error ? (error.stack ?? error.message) : "",
        });
      }
  }
});

send({ type: "ready" });
lookAround();
