import { randomBytes } from "node:crypto";
import pino from "pino";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import type { RelayConfig } from "./config.ts";
import type { RelayContext } from "./context.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { DiskFull } from "./database/writer.ts";
import { createTokens } from "./devices/tokens.ts";
import { createHub } from "./relay/hub.ts";
import { createLoop } from "./relay/loop.ts";
import { createPromises, type LogStanding } from "./relay/promises.ts";
import { createRefusalNotes } from "./relay/refusal-notes.ts";
import { createUpgrade } from "./relay/upgrade.ts";
import { rehearse } from "./rehearsal.ts";
import { rooms } from "./rooms.ts";
import { createHttp } from "./routes.ts";
import { removeRunning, writeRunning } from "./running.ts";
import { listen } from "./server.ts";
import { startVerifier } from "./signatures/verifier.ts";

export interface Relay {
  readonly url: string;
  /** Lets the command line in; it stands in `relay.json`, which only the folder's owner can read. */
  readonly operatorKey: string;
  readonly context: RelayContext;
  /** Tells every connection, commits what waits, and gives the folder back. */
  stop(): Promise<void>;
}

/** The relay, put together: folder, then what reads and writes it, then the doors. Throws `CannotStart`. */
export async function startRelay(config: RelayConfig, onBroken: (reason: string) => void): Promise<Relay> {
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const clock = createSystemClock();
  const folder = await openDataFolder(config, onBroken, true);
  const { workspace, writer, orderLog, db } = folder;
  warnOfHead(log, folder);
  const verifier = startVerifier(onBroken);
  const hub = createHub();
  const tokens = createTokens(db, clock);
  const notes = createRefusalNotes(writer, clock, log);
  const packRoom = rooms.find((room) => room.newestPack !== undefined);
  let url = "";
  // Told in the order of commits, before anybody is answered.
  let standing: LogStanding = { term: folder.term, start: folder.start, log: await orderLog.head() };
  writer.onCommit((heads) => {
    standing = heads;
  });
  const context: RelayContext = {
    config,
    workspace,
    writer,
    verify: verifier.verify,
    orderLog,
    db,
    hub,
    tokens,
    clock,
    log,
    get term() {
      return standing.term;
    },
    standing: () => standing,
    promises: createPromises(workspace),
    url: () => url,
    newestPack: (caller) => packRoom?.newestPack?.(context, caller) ?? null,
  };

  const loop = createLoop(
    rooms.flatMap((room) => room.part?.(context) ?? []),
    log,
  );
  const stock = rooms.find((room) => room.stockDoor !== undefined)?.stockDoor?.(context) ?? null;
  const operatorKey = randomBytes(32).toString("base64url");
  const http = createHttp(context, operatorKey, notes);
  const stopping: (() => Promise<void>)[] = [];
  let closeDoor = () => Promise.resolve();
  try {
    const server = await listen(config, http.fetch, createUpgrade(context, { hub, loop, tokens, notes, stock }));
    closeDoor = () => server.close();
    url = config.publicUrl?.replace(/\/$/, "") ?? `http://${hostInUrl(config.host)}:${server.port}`;
    for (const room of rooms) if (room.start !== undefined) stopping.unshift(await room.start(context));
    await rehearse(context, notes).catch((error: unknown) => log.warn({ error: String(error) }, "no rehearsal"));
    writeRunning(config.dir, { pid: process.pid, url: `http://${hostInUrl(config.host)}:${server.port}`, operatorKey });
  } catch (error) {
    const closed = closeDoor();
    for (const stop of stopping) await stop();
    await closed;
    await verifier.close();
    await folder.close();
    throw error;
  }
  log.info({ url, term: context.term, workspace: workspace.id }, "the relay is ready");

  const stop = async () => {
    removeRunning(config.dir);
    // The door first: who is sent away comes back at once, and must not be let in while the rooms stop.
    const closed = closeDoor();
    for (const connection of hub.connections())
      connection.refuse(null, { code: "relay.stopping", retryAfterMs: 1_000 });
    for (const stopRoom of stopping) await stopRoom();
    await closed;
    await verifier.close();
    await notes.close();
    const stopped = { topic: "relay.stopped", device: null, item: null, detail: { term: context.term } } as const;
    await writer.run("note", { rows: [stopped] }).catch((error: unknown) => {
      // A relay with a full disk must be able to stop too.
      if (!(error instanceof DiskFull)) throw error;
    });
    await folder.close();
    log.info("the relay stopped");
  };
  return { url, operatorKey, context, stop };
}

function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** What was lost is never mended in silence. */
function warnOfHead(log: pino.Logger, { headFile, term }: DataFolder): void {
  const { file, noted, found, isOlderCopy } = headFile;
  if (isOlderCopy) {
    log.warn(
      { headFile: file, noted, found, term },
      "this folder is an older copy, or its end was cut off: the head file noted rows that are not here. A new term " +
        "began, and phones offer again what they hold; `sampai term list` names what nobody holds",
    );
  } else if (noted === null && found > 0) {
    log.warn(
      { headFile: file, found },
      "there is no head file: only a phone can tell now whether this folder is an older copy",
    );
  }
}
