import { refusalSentence, type Refusal, type RefusalCode } from "@sampai/engine/wire";
import type { Running } from "../running.ts";
import { CannotStart } from "../stop-reasons.ts";

/** What was asked cannot be done, and why: the sentence goes to stderr, the status is 1. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusalSentence(refusal)}`);
    this.refusal = refusal;
  }
}

/** A relay that lives says so within this time. What it is asked to do may take longer, up to what `fetch` waits. */
const ALIVE_MS = 10_000;

/**
 * Asks the relay that works in the data folder, with the key that only the folder's owner can read. No body: GET. Bytes
 * go as they are. Throws `Refused` and `CannotStart`.
 */
export async function askRelay(
  running: Running,
  path: string,
  body?: object | Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  const isFile = body instanceof Uint8Array;
  const answer = await reachRelay(running, path, body === undefined || isFile ? body : JSON.stringify(body));
  if (answer.ok) return answer.value;
  const { code = "relay.busy", detail } = answer.value as { code?: RefusalCode; detail?: string };
  throw new Refused({ code, ...(detail === undefined ? {} : { detail }) });
}

/** What the relay answers, whether it is a refusal or not: text goes as JSON. Throws `CannotStart` where nothing comes. */
export async function reachRelay(
  { url, operatorKey }: Running,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<{ readonly ok: boolean; readonly value: unknown }> {
  const type = typeof body === "string" ? "application/json" : "application/octet-stream";
  try {
    const alive = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ALIVE_MS) });
    await alive.body?.cancel();
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${operatorKey}`, "content-type": type },
      ...(body === undefined ? {} : { body }),
    });
    return { ok: answer.ok, value: await answer.json() };
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    const why = cause?.code ?? cause?.message ?? message;
    throw new CannotStart("relay.silent", `${url}: ${why}.`);
  }
}
