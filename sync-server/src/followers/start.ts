import { err, ok, utcFromMs, type Clock, type Result } from "@sampai/engine/core";
import type { Refusal } from "@sampai/engine/wire";
import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import type { Writer } from "../database/writer.ts";
import type { Hub } from "../relay/hub.ts";
import type { Connection } from "../relay/part.ts";
import type { QuestionAnswer, QuestionInput, QuestionName } from "./questions.ts";
import type { FollowersData, FromFollowers, ToFollowers } from "./wire.ts";

/** The followers as the relay's process sees them: a thread that can be asked, and that says what changed. */
export interface Followers {
  /** Refused with `relay.busy` while the thread is down or takes too long; whoever asked asks again. */
  ask<N extends QuestionName>(name: N, input: QuestionInput<N>): Promise<Result<QuestionAnswer<N>, Refusal>>;
  /** Called with topics such as `board:today`, `alerts`, `findings`. The answer stops it. */
  onChanged(listener: (topics: readonly string[]) => void): () => void;
  close(): Promise<void>;
}

const ANSWER_MS = 10_000;
const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 60_000;
const busy: Refusal = { code: "relay.busy", detail: "the followers do not answer" };

export function startFollowers(deps: {
  readonly data: FollowersData;
  readonly writer: Writer;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Logger;
}): Followers {
  const { data, writer, hub, clock, log } = deps;
  const changes = new EventEmitter<{ changed: [readonly string[]] }>();
  changes.setMaxListeners(0);
  const asked = new Map<number, (result: Result<unknown, Refusal>) => void>();
  let nextQuestion = 0;
  let worker: Worker | null = null;
  let isClosed = false;
  let restarts = 0;
  let cancelRestart = () => {};
  let writing: Promise<void> = Promise.resolve();
  const tell = (message: ToFollowers) => worker?.postMessage(message);
  const openSince = new WeakMap<Connection, string>();
  const tellConnected = () => {
    const since = new Map<string, string>();
    for (const connection of hub.connections()) {
      const at = openSince.get(connection) ?? utcFromMs(clock.wallMs());
      openSince.set(connection, at);
      since.set(connection.caller.device, at);
    }
    tell({ type: "connected", since });
  };

  const receive = (from: Worker, message: FromFollowers) => {
    switch (message.type) {
      case "ready":
        restarts = 0;
        tellConnected();
        return;
      case "damaged":
        log.warn({ reason: message.reason }, "the followers' file was damaged and is made again");
        return;
      case "changed":
        changes.emit("changed", message.topics);
        return;
      case "note":
        writing = writer.run("note", { rows: message.rows }).then(
          () => from.postMessage({ type: "noted", number: message.number } satisfies ToFollowers),
          (error: unknown) => {
            log.warn({ error: String(error) }, "the trail does not take the followers' rows now");
            from.postMessage({ type: "not-noted" } satisfies ToFollowers);
          },
        );
        return;
      case "answer":
        settle(message.n, ok(message.value));
        return;
      case "unanswered":
        log.error({ reason: message.reason }, "a question to the followers threw");
        settle(message.n, err(busy));
    }
  };
  const settle = (n: number, result: Result<unknown, Refusal>) => {
    asked.get(n)?.(result);
    asked.delete(n);
  };
  const start = () => {
    const fresh = new Worker(new URL("./thread.ts", import.meta.url), { workerData: data });
    worker = fresh;
    fresh.on("message", (message: FromFollowers) => receive(fresh, message));
    fresh.on("error", (error) => log.error({ error: error.stack ?? String(error) }, "the followers' thread broke"));
    fresh.on("exit", () => {
      if (worker === fresh) worker = null;
      for (const n of asked.keys()) settle(n, err(busy));
      if (isClosed) return;
      const delayMs = Math.min(FIRST_RESTART_MS * 2 ** restarts, LONGEST_RESTART_MS);
      restarts += 1;
      // What the broken thread handed over is written first, so that the new one finds it in the trail.
      cancelRestart = clock.after(delayMs, () => void writing.then(() => (isClosed ? undefined : start())));
    });
  };
  start();
  let woken = false;
  const stopCommits = writer.onCommit(() => {
    if (woken) return;
    woken = true;
    setImmediate(() => {
      woken = false;
      tell({ type: "committed" });
    });
  });
  const stopConnections = hub.onChange(tellConnected);
  return {
    ask: (name, input) =>
      new Promise((resolve) => {
        if (worker === null) return resolve(err(busy));
        const n = (nextQuestion += 1);
        const cancel = clock.after(ANSWER_MS, () => settle(n, err(busy)));
        asked.set(n, (result) => {
          cancel();
          resolve(result as never);
        });
        tell({ type: "ask", n, name, input });
      }),
    onChanged: (listener) => {
      changes.on("changed", listener);
      return () => changes.off("changed", listener);
    },
    close: async () => {
      isClosed = true;
      cancelRestart();
      stopCommits();
      stopConnections();
      await worker?.terminate();
      await writing;
    },
  };
}
