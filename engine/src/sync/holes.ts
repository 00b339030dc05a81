import type { Crypto } from "../core/crypto.ts";
import type { OwnEvents } from "../events/own-events.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { holeMessage, type Tip } from "../wire/index.ts";
import { knownEvents } from "./claim.ts";
import type { Wire, WireFailure } from "./wire.ts";
import type { Result } from "../core/result.ts";

/** Stands where this device does not know any more where the event sat: the hash decides, the place only tells. */
const UNKNOWN_PLACE = { run: "0000000000000000", seq: 1 };

/** Where an event that cannot be read sat: from what is noted of it, or from an event that names it. */
export function placeOf(hash: string, events: OwnEvents, outbox: Outbox): Tip {
  const known = knownEvents(events, outbox).get(hash);
  if (known !== undefined) return { run: known.run, seq: known.seq, hash };
  const child = events.all().find(({ prev }) => prev === hash);
  if (child !== undefined && child.seq > 1) return { run: child.run, seq: child.seq - 1, hash };
  const parent = child?.envelope?.parent;
  if (parent !== null && parent !== undefined) return { run: parent.run, seq: parent.seq, hash };
  return { ...UNKNOWN_PLACE, hash };
}

/** Declares, signed, that this device does not hold an event. */
export async function declareHole(
  place: Tip,
  wire: Wire,
  signer: {
    readonly workspace: string;
    readonly device: string;
    readonly secretKey: Uint8Array;
    readonly crypto: Crypto;
  },
): Promise<Result<unknown, WireFailure>> {
  const { workspace, device, secretKey, crypto } = signer;
  const signature = await crypto.sign(holeMessage({ workspace, device, ...place }), secretKey);
  return wire.request({ type: "hole", ...place, signature });
}
