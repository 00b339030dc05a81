import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { bytesToHex, utf8ToBytes } from "../core/hash.ts";
import type { Random } from "../core/random.ts";
import { documentId } from "../documents/document-id.ts";
import type { PersonHere, Presence } from "../documents/presence.ts";
import type { RelayMessage } from "../wire/index.ts";
import type { SyncPart, Wire } from "./wire.ts";

/** How often somebody who stays says so again, and after how long of silence nobody is there any more. */
const AGAIN_MS = 10_000;
const GONE_MS = 30_000;
/** A newcomer is answered within so long, not at once, so that a full room does not answer in one moment. */
const ANSWER_MS = 400;
/** Others remembered per document: more is no crowd that a screen could show. */
const MOST_PEOPLE = 50;

/** What a presence message carries, as UTF-8 JSON. */
const saying = z.object({ here: z.boolean(), editing: z.string().max(120).nullable() });

interface Heard extends PersonHere {
  readonly session: string;
  readonly count: number;
  readonly here: boolean;
  readonly heardMs: number;
}

export interface PresenceDeps {
  readonly workspace: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Presence over the sync connection. A message replaces the one before of the same device; within one session (one
 * start of an engine) a lower count is an older message that was overtaken.
 */
export function createPresence({ workspace, clock, random }: PresenceDeps): Presence & SyncPart {
  const session = bytesToHex(random.bytes(8));
  const mine = new Map<string, string | null>();
  const heard = new Map<string, Map<string, Heard>>();
  const listeners = new Set<(doc: string) => void>();
  let count = 0;
  let wire: Wire | null = null;
  let cancelAgain: (() => void) | null = null;
  let cancelExpiry: (() => void) | null = null;
  const answering = new Map<string, () => void>();

  const changed = (doc: string) => {
    for (const listener of listeners) listener(doc);
  };
  const say = (doc: string, here: boolean, editing: string | null) => {
    count += 1;
    wire?.send({ type: "presence", doc, session, count, data: utf8ToBytes(JSON.stringify({ here, editing })) });
  };
  const sayAll = () => {
    for (const [doc, editing] of mine) say(doc, true, editing);
  };
  const keepSaying = () => {
    if (cancelAgain !== null || wire === null || mine.size === 0) return;
    cancelAgain = clock.after(AGAIN_MS, () => {
      cancelAgain = null;
      sayAll();
      keepSaying();
    });
  };
  const answer = (doc: string) => {
    if (!mine.has(doc) || answering.has(doc)) return;
    const delayMs = ((random.bytes(1)[0] ?? 0) * ANSWER_MS) / 256;
    answering.set(
      doc,
      clock.after(delayMs, () => {
        answering.delete(doc);
        const editing = mine.get(doc);
        if (editing !== undefined) say(doc, true, editing);
      }),
    );
  };
  const expire = () => {
    if (cancelExpiry !== null) return;
    const people = [...heard.values()].flatMap((devices) => [...devices.values()]);
    const first = Math.min(...people.map(({ heardMs }) => heardMs));
    if (!Number.isFinite(first)) return;
    cancelExpiry = clock.after(Math.max(0, first + GONE_MS - clock.tickMs()), () => {
      cancelExpiry = null;
      const before = clock.tickMs() - GONE_MS;
      for (const [doc, devices] of heard) {
        const gone = [...devices.values()].filter(({ heardMs }) => heardMs <= before);
        for (const { device } of gone) devices.delete(device);
        if (devices.size === 0) heard.delete(doc);
        if (gone.some(({ here }) => here)) changed(doc);
      }
      expire();
    });
  };
  const hear = ({ doc, device, by, role, session, count, data }: Extract<RelayMessage, { type: "present" }>) => {
    const said = readSaying(data);
    if (said === null) return;
    const devices = heard.get(doc) ?? new Map<string, Heard>();
    const before = devices.get(device);
    if (before === undefined && devices.size >= MOST_PEOPLE) return;
    if (before?.session === session && before.count >= count) return;
    devices.set(device, { person: by, role, device, ...said, session, count, heardMs: clock.tickMs() });
    heard.set(doc, devices);
    if (said.here && before?.session !== session) answer(doc);
    expire();
    const same = before !== undefined && before.here === said.here && before.editing === said.editing;
    if (!same) changed(doc);
  };

  return {
    name: "presence",
    announce: (kind, key, editing) => {
      const doc = documentId(workspace, kind, key);
      if (mine.has(doc) && mine.get(doc) === editing) return;
      mine.set(doc, editing);
      say(doc, true, editing);
      keepSaying();
    },
    leave: (kind, key) => {
      const doc = documentId(workspace, kind, key);
      if (!mine.delete(doc)) return;
      say(doc, false, null);
      if (mine.size > 0) return;
      cancelAgain?.();
      cancelAgain = null;
    },
    others: (kind, key) =>
      [...(heard.get(documentId(workspace, kind, key))?.values() ?? [])]
        .filter(({ here }) => here)
        .map(({ person, role, device, editing }) => ({ person, role, device, editing }))
        .sort((a, b) => (`${a.person}/${a.device}` < `${b.person}/${b.device}` ? -1 : 1)),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connected: (connected) => {
      wire = connected;
      sayAll();
      keepSaying();
    },
    receive: (message) => {
      if (message.type === "present") hear(message);
    },
    lost: () => {
      wire = null;
      cancelAgain?.();
      cancelAgain = null;
      cancelExpiry?.();
      cancelExpiry = null;
      for (const cancel of answering.values()) cancel();
      answering.clear();
      const docs = [...heard.keys()];
      heard.clear();
      for (const doc of docs) changed(doc);
    },
  };
}

function readSaying(data: Uint8Array): z.infer<typeof saying> | null {
  try {
    const said = saying.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)));
    return said.success ? said.data : null;
  } catch {
    return null;
  }
}
