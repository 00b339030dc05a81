import { err, ok, type Result } from "@sampai/engine/core";
import type { AppendMessage, Refusal, RelayMessage } from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import { DiskFull } from "../database/writer.ts";
import type { LogRefusal } from "../order-log/log.ts";
import { verifyBatch } from "./batch.ts";
import type { Caller } from "./part.ts";

export type Appended = Extract<RelayMessage, { type: "appended" }>;

/** A batch on its way to the log: verified and handed to the writer in the caller's order, answered when it is durable. */
export interface HandedIn {
  readonly answer: Promise<Result<Appended, Refusal>>;
}

const BUSY_RETRY_MS = 1_000;
/** A full disk is rarely over sooner. */
export const FULL_RETRY_MS = 10_000;

/** The one way for facts into the log, whichever transport brought them. Resolves once the batch is handed in. */
export async function handIn(
  context: RelayContext,
  caller: Caller,
  message: AppendMessage,
  via: "websocket" | "http",
): Promise<HandedIn> {
  const { config, orderLog, verify, writer } = context;
  if (writer.waitingBytes() > config.writerBytes) return answered(err(busy));
  const { device, publicKey } = caller;
  const batch = await verifyBatch(message, { workspace: orderLog.workspace, device, publicKey }, verify);
  if (!batch.ok) return answered(batch);
  const stored = orderLog.append({ workspace: orderLog.workspace, device, events: batch.value, via });
  return {
    answer: whenDurable(stored, (answer) =>
      "refused" in answer
        ? err(refusalOf(answer.refused))
        : ok({
            type: "appended",
            n: message.n,
            term: answer.term,
            answers: [...answer.answers],
            promise: context.promises.of(context.standing()),
          }),
    ),
  };
}

/** Waits for a commit and turns what the disk says into a refusal; anything else is a broken promise and goes on up. */
export async function whenDurable<A, T>(
  stored: Promise<A>,
  then: (answer: A) => Result<T, Refusal>,
): Promise<Result<T, Refusal>> {
  try {
    return then(await stored);
  } catch (error) {
    if (error instanceof DiskFull) return err({ code: "storage.full", retryAfterMs: FULL_RETRY_MS });
    throw error;
  }
}

/** What the log would not take. */
export const refusalOf = (code: LogRefusal): Refusal =>
  code === "relay.busy"
    ? { ...busy, detail: "too many events wait behind a gap; send what is wanted first" }
    : { code };

export const busy: Refusal = { code: "relay.busy", retryAfterMs: BUSY_RETRY_MS };

const answered = (answer: Result<Appended, Refusal>): HandedIn => ({ answer: Promise.resolve(answer) });
