import type { RawWriter } from "../src/raw-writer.ts";
import { nowMs } from "./measure.ts";

/** A change that reached a device: its position, and when (milliseconds of the machine's monotonic clock). */
export type Arrival = readonly [position: number, atMs: number];

/** How a device stood with its relay: how often it has connected, and when its last catch-up was complete. */
export interface Contacts {
  readonly connected: number;
  readonly caughtUpMs: number;
}

/** A device that holds no documents and keeps its place in their stream, as a phone does. */
export interface Following {
  /** Resolves when the first catch-up is complete. */
  start(): Promise<void>;
  /** What came since this was last asked. */
  arrivals(): readonly Arrival[];
  contacts(): Contacts;
}

// As the phone's back-off: the first try is soon, because a signal that dropped is often back at once.
const FIRST_MS = 100;
const SECOND_MS = 500;
const LONGEST_MS = 30_000;

export function createFollowing(device: RawWriter): Following {
  let cursor: unknown = null;
  let arrived: Arrival[] = [];
  let connected = 0;
  let caughtUpMs = 0;
  let owesFed = false;
  let catchUp = Promise.withResolvers<void>();
  let returning = false;
  device.onMessage((message) => {
    if (message["type"] !== "changes") return;
    const atMs = nowMs();
    cursor = message["cursor"];
    for (const { position, snapshot } of message["items"] as { position: number; snapshot: boolean }[]) {
      if (!snapshot) arrived.push([position, atMs]);
    }
    if (message["more"] === false) {
      caughtUpMs = atMs;
      catchUp.resolve();
    }
    // What comes together is one commit on a phone, and one answer.
    if (owesFed) return;
    owesFed = true;
    setImmediate(() => {
      owesFed = false;
      device.tell({ type: "fed", cursor });
    });
  });
  device.onEnd(() => {
    catchUp.reject(new Error("the connection ended"));
    if (!returning) void comeBack();
  });

  const ask = async () => {
    connected += 1;
    catchUp = Promise.withResolvers();
    const answer = await device.request({ type: "feed", cursor });
    if (answer?.["type"] !== "changes") throw new Error(`feed was answered ${JSON.stringify(answer)}`);
    await catchUp.promise;
  };
  const comeBack = async () => {
    returning = true;
    for (let tries = 0; ; tries += 1) {
      const longestMs = tries === 0 ? FIRST_MS : Math.min(LONGEST_MS, SECOND_MS * 2 ** (tries - 1));
      await new Promise((resolve) => setTimeout(resolve, longestMs * (0.5 + 0.5 * Math.random())));
      try {
        await device.connect();
        await ask();
        break;
      } catch {
        // Not there yet, or gone again.
      }
    }
    returning = false;
  };
  return {
    start: ask,
    arrivals: () => {
      const came = arrived;
      arrived = [];
      return came;
    },
    contacts: () => ({ connected, caughtUpMs }),
  };
}
