import { refusalSentence, type Refusal, type RefusalCode } from "@sampai/engine/wire";
import type { Running } from "../running.ts";

/** What was asked cannot be done, and why: the sentence goes to stderr, the status is 1. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusalSentence(refusal)}`);
  }
}

/** Asks the relay that works in the data folder, with the key that only the folder's owner can read. No body: GET. Bytes go as they are. */
export async function askRelay(
  running: Running,
  path: string,
  body?: object | Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  const isFile = body instanceof Uint8Array;
  const answer = await fetch(`${running.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${running.operatorKey}`,
      "content-type": isFile ? "application/octet-stream" : "application/json",
    },
    ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
  });
  const value = (await answer.json()) as { code?: RefusalCode; detail?: string };
  if (answer.ok) return value;
  throw new Refused({
    code: value.code ?? "relay.busy",
    ...(value.detail === undefined ? {} : { detail: value.detail }),
  });
}
