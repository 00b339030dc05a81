import { z } from "zod";
import { dayIn, msFromUtc } from "../core/clock.ts";
import { hexToBytes, utf8ToBytes } from "../core/hash.ts";
import type { HeldDays } from "../day/held-days.ts";
import type { Facts } from "../events/facts.ts";
import { eventKinds, type EventBody } from "../events/kinds/index.ts";
import type { Lanes } from "../outbox/lanes.ts";
import { isSettled } from "../wire/index.ts";
import type { Http } from "./http.ts";
import type { SyncPart } from "./wire.ts";

export interface DaySyncDeps {
  readonly days: HeldDays;
  readonly facts: Facts;
  readonly http: Http;
  readonly lanes: Lanes;
  readonly rep: string;
  readonly zone: string;
  readonly nowMs: () => number;
}

const TIMEOUT_MS = 30_000;
/** Closes older than this are no longer asked about. */
const ASKED_MS = 31 * 86_400_000;
/** Days asked about on one contact. */
const AT_ONCE = 7;

const answerSchema = z.looseObject({
  certificate: z
    .looseObject({ text: z.string(), signature: z.string().regex(/^[0-9a-f]{128}$/), position: z.int().min(0) })
    .nullable(),
});

/**
 * Brings day certificates to the phone: the relay sends each to the devices that are connected; on contact the phone
 * asks for those of its own closed days that it does not hold, or that were not settled when it last heard. A contact
 * with nothing open costs nothing.
 */
export function createDaySync({ days, facts, http, lanes, rep, zone, nowMs }: DaySyncDeps): SyncPart {
  let contact = 0;
  let connected = false;

  const openDays = (): string[] => {
    const since = dayIn(nowMs() - ASKED_MS, zone);
    const open = new Set<string>();
    for (const { envelope, hash, state } of facts.list()) {
      if (envelope.kind !== eventKinds.dayClosed.name || state !== "at-hq") continue;
      const { day } = envelope.body as EventBody<"dayClosed">;
      // Searched in all: HQ files a close that names an impossible day under the day on which it can have been.
      const held = days.list().find(({ certificate }) => certificate.closes.some((close) => close.hash === hash));
      if (dayIn(msFromUtc(envelope.at), zone) >= since && (held === undefined || !isSettled(held.certificate)))
        open.add(day);
    }
    return [...open].sort().slice(-AT_ONCE);
  };

  const ask = async (mine: number) => {
    for (const day of openDays()) {
      const release = await lanes.enter("documents");
      const path = `/v1/days/${encodeURIComponent(rep)}/${day}`;
      const answer = await http.request({ method: "GET", path, timeoutMs: TIMEOUT_MS }).finally(release);
      if (!connected || contact !== mine || answer.status === 0) return;
      const read = answerSchema.safeParse(answer.status === 200 ? parse(answer.body) : undefined);
      if (!read.success || read.data.certificate === null) continue;
      const { text, signature, position } = read.data.certificate;
      await take({ certificate: utf8ToBytes(text), signature: hexToBytes(signature), position });
    }
  };

  // What does not verify is left alone, and asked for again at the next contact; so is what the disk did not take.
  const take = async (offered: Parameters<HeldDays["take"]>[0]) => {
    await days.take(offered).catch(() => undefined);
  };

  return {
    name: "days",
    connected: () => {
      connected = true;
      contact += 1;
      void ask(contact);
    },
    receive: (message) => {
      if (message.type === "certificate") void take(message);
    },
    lost: () => {
      connected = false;
    },
  };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
