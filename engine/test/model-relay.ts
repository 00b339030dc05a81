import assert from "node:assert/strict";
import {
  batchMessage,
  claimMessage,
  claimSchema,
  decodeFrame,
  encodeFrame,
  holeMessage,
  phoneMessageSchema,
  type Admission,
  type AppendItem,
  type Claim,
  type PhoneMessage,
  type RelayMessage,
  type Tip,
} from "../src/wire/index.ts";
import { sha256Hex, utf8ToBytes } from "../src/core/hash.ts";
import type { Crypto } from "../src/index.ts";

export interface ModelEvent extends AppendItem {
  readonly run: string;
  readonly hash: string;
}

/** The relay's half of admission, for one device, over maps: written from the rules, not from the server. */
export interface ModelRelay {
  /** In the order of positions; a hole leaf has null. */
  readonly log: (ModelEvent | null)[];
  readonly claims: Claim[];
  readonly duplicates: number;
  readonly holes: ReadonlySet<string>;
  readonly held: ReadonlyMap<string, ModelEvent>;
  revoked: boolean;
  /** Answers one frame of the device. */
  receive(frame: Uint8Array): Promise<Uint8Array | null>;
  /** The hash at a position is forgotten, as a relay restored from a backup forgets the end of its log. */
  rollBack(size: number): void;
}

export function createModelRelay(device: {
  readonly workspace: string;
  readonly device: string;
  readonly publicKey: Uint8Array;
  readonly crypto: Crypto;
  readonly nowUtc: () => string;
}): ModelRelay {
  const { workspace, publicKey, crypto } = device;
  let log: (ModelEvent | null)[] = [];
  let placed = new Map<string, number>();
  const held = new Map<string, ModelEvent>();
  const holes = new Set<string>();
  const expected = new Set<string>();
  const claims: Claim[] = [];
  let duplicates = 0;
  let term = "1:model";
  const spans: { term: string; start: number; end: number | null }[] = [{ term, start: 0, end: null }];

  const place = (event: ModelEvent): number => {
    placed.set(event.hash, log.length);
    log.push(event);
    holes.delete(event.hash);
    expected.delete(event.hash);
    held.delete(event.hash);
    return log.length - 1;
  };
  const isReady = ({ prev }: ModelEvent) => prev === null || placed.has(prev) || holes.has(prev);
  const release = () => {
    for (let free = [...held.values()].find(isReady); free !== undefined; free = [...held.values()].find(isReady))
      place(free);
  };
  const admit = (event: ModelEvent): Admission => {
    const { hash } = event;
    const known = placed.get(hash);
    if (known !== undefined) {
      duplicates += 1;
      return { hash, answer: "duplicate", position: known };
    }
    if (relay.revoked) return { hash, answer: "quarantined", code: "auth.revoked" };
    if (!isReady(event)) {
      held.set(hash, event);
      return { hash, answer: "held", want: event.prev ?? "" };
    }
    const branch = log.some((other) => other !== null && other.run === event.run && other.seq === event.seq);
    const position = place(event);
    release();
    return { hash, answer: branch ? "branch" : "placed", position };
  };
  const wants = () =>
    [...new Set([...held.values()].map(({ prev }) => prev ?? "").concat([...expected]))].filter(
      (hash) => !placed.has(hash) && !held.has(hash) && !holes.has(hash),
    );
  const tips = (): Tip[] => {
    const events = log.filter((event) => event !== null);
    const followed = new Set(events.map(({ prev }) => prev));
    return events.filter(({ hash }) => !followed.has(hash)).map(({ run, seq, hash }) => ({ run, seq, hash }));
  };

  const answer = async (message: PhoneMessage): Promise<RelayMessage | null> => {
    switch (message.type) {
      case "claim": {
        const { n } = message;
        assert.ok(await crypto.verify(message.signature, claimMessage(sha256Hex(message.claim)), publicKey));
        const claim = claimSchema.parse(JSON.parse(new TextDecoder().decode(message.claim)));
        claims.push(claim);
        for (const { hash } of claim.tips) if (!placed.has(hash) && !holes.has(hash)) expected.add(hash);
        const all = [...log.filter((event) => event !== null), ...held.values()];
        const byHash = new Map(all.map((event) => [event.hash, event]));
        const covered = new Set<string>();
        for (const tip of claim.tips)
          for (let event = byHash.get(tip.hash); event !== undefined; event = byHash.get(event.prev ?? ""))
            covered.add(event.hash);
        const give = all
          .filter(({ hash }) => !covered.has(hash))
          .map(({ run, seq, prev, bytes, hash }) => ({
            run,
            item: { seq, prev, bytes },
            position: placed.get(hash) ?? null,
          }));
        const head = log.length;
        const at = device.nowUtc();
        return {
          type: "claimed",
          n,
          term,
          at,
          tips: tips(),
          wants: wants(),
          holes: [...holes],
          give,
          head,
          pack: null,
          terms: [...spans],
        };
      }
      case "append": {
        const { n, run } = message;
        const events = message.events.map((item) => ({ ...item, run, hash: sha256Hex(item.bytes) }));
        for (const [index, event] of events.entries()) {
          const before = events[index - 1];
          if (before !== undefined && (event.seq !== before.seq + 1 || event.prev !== before.hash))
            return { type: "refused", n, code: "batch.chain" };
        }
        const last = events.at(-1);
        assert.ok(last !== undefined);
        const signed = batchMessage({ workspace, device: device.device, ...last });
        if (!(await crypto.verify(message.signature, signed, publicKey)))
          return { type: "refused", n, code: "batch.signature" };
        return { type: "appended", n, term, answers: events.map(admit) };
      }
      case "hole": {
        const { n, run, seq, hash } = message;
        const signed = holeMessage({ workspace, device: device.device, run, seq, hash });
        assert.ok(await crypto.verify(message.signature, signed, publicKey));
        if (!placed.has(hash) && !held.has(hash) && !holes.has(hash)) {
          holes.add(hash);
          log.push(null);
          expected.delete(hash);
          release();
        }
        return { type: "holed", n };
      }
      case "push":
      case "feed":
      case "fed":
      case "heads":
      case "presence":
        return null;
    }
  };

  const relay: ModelRelay = {
    get log() {
      return log;
    },
    claims,
    get duplicates() {
      return duplicates;
    },
    holes,
    held,
    revoked: false,
    receive: async (frame) => {
      const message = decodeFrame(phoneMessageSchema, frame);
      assert.ok(message.ok, JSON.stringify(message));
      const reply = await answer(message.value);
      return reply === null ? null : encodeFrame(reply);
    },
    rollBack: (size) => {
      log = log.slice(0, size);
      placed = new Map(log.flatMap((event, position) => (event === null ? [] : [[event.hash, position] as const])));
      term = `${Number(term.split(":")[0]) + 1}:model`;
      spans.push({ term, start: size, end: null });
      for (const [index, span] of spans.entries()) span.end = spans[index + 1]?.start ?? null;
    },
  };
  return relay;
}

/** The hash of a text, for tests that need one. */
export const hashOf = (text: string) => sha256Hex(utf8ToBytes(text));
