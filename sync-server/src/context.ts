import type { Clock } from "@sampai/engine/core";
import type { Logger } from "pino";
import type { DatabaseSync } from "node:sqlite";
import type { RelayConfig } from "./config.ts";
import type { Writer } from "./database/writer.ts";
import type { Tokens } from "./devices/tokens.ts";
import type { OrderLog } from "./order-log/log.ts";
import type { Hub } from "./relay/hub.ts";
import type { Caller } from "./relay/part.ts";
import type { LogStanding, Promises } from "./relay/promises.ts";
import type { Verify } from "./signatures/verifier.ts";
import type { Workspace } from "./workspace.ts";

/** What every room of the relay is given. */
export interface RelayContext {
  readonly config: RelayConfig;
  readonly workspace: Workspace;
  readonly writer: Writer;
  /** Checks a signature off the main loop. */
  readonly verify: Verify;
  readonly orderLog: OrderLog;
  /** Can only read. Read in pages: an iterator left open keeps the database's log from shrinking. */
  readonly db: DatabaseSync;
  /** The connections that are open now. */
  readonly hub: Hub;
  /** Who a token or ticket belongs to. */
  readonly tokens: Tokens;
  readonly clock: Clock;
  /** To stderr. Never a secret, never a payload. */
  readonly log: Logger;
  /** The current term of the order log: another one, should a phone prove that this log is an older copy. */
  readonly term: string;
  /** How far the order log is on disk. */
  standing(): LogStanding;
  /** What acknowledgements promise, and how it is known again. */
  readonly promises: Promises;
  /** Number of the newest reference pack for this device, null where there is none yet. */
  newestPack(caller: Caller): number | null;
  /** Where devices reach this relay, without a slash at the end. Known once it listens. */
  url(): string;
}
