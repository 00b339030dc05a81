import type { Crypto } from "../core/crypto.ts";
import type { OwnEvents } from "../events/own-events.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { holeMessage, type Tip } from "../wire/index.ts";
import { knownEvents } from "./claim.ts";
import type { Wire } from "./wire.ts";

/** Stands where this device does not know any more where the event sat: the hash decides, the place only tells. */
const UNKNOWN_PLACE = { run: "0000000000000000", seq: 1 };

/** Events that the relay wants and this device cannot read any more. */
export interface Holes {
  /** Declares, signed and once on a connection, that this device does not hold an event; the relay then goes on without. */
  declare(hash: string, over: Wire): Promise<void>;
}

export function createHoles(deps: {
  readonly identity: { readonly workspace: string; readonly device: string };
  readonly secretKey: Uint8Array;
  readonly crypto: Crypto;
  readonly events: OwnEvents;
  readonly outbox: Outbox;
  /** The relay has written an event off. */
  readonly settled: (hash: string) => void;
}): Holes {
  const { identity, secretKey, crypto, events, outbox, settled } = deps;
  const { workspace, device } = identity;
  const declared = new WeakMap<Wire, Set<string>>();
  return {
    declare: async (hash, over) => {
      const before = declared.get(over) ?? new Set();
      if (before.has(hash)) return;
      declared.set(over, before.add(hash));
      const place = placeOf(hash, events, outbox);
      const signature = await crypto.sign(holeMessage({ workspace, device, ...place }), secretKey);
      const answer = await over.request({ type: "hole", ...place, signature });
      if (!answer.ok) return;
      await outbox.writeOff(hash);
      settled(hash);
    },
  };
}

/** Where an event that cannot be read sat: from what is noted of it, or from an event that names it. */
function placeOf(hash: string, events: OwnEvents, outbox: Outbox): Tip {
  const known = knownEvents(events, outbox).get(hash);
  if (known !== undefined) return { run: known.run, seq: known.seq, hash };
  const child = events.all().find(({ prev }) => prev === hash);
  if (child !== undefined && child.seq > 1) return { run: child.run, seq: child.seq - 1, hash };
  const parent = child?.envelope?.parent;
  if (parent !== null && parent !== undefined) return { run: parent.run, seq: parent.seq, hash };
  return { ...UNKNOWN_PLACE, hash };
}
