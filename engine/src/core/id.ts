import { v7 } from "uuid";
import type { Clock } from "./clock.ts";
import { bytesToHex } from "./hash.ts";
import type { Random } from "./random.ts";

/** PORT. Where names for new things come from. */
export interface Ids {
  /** UUIDv7 (RFC 9562): the offline id of a fact, unique for ever, minted before anything is saved. */
  offlineId(): string;
  /** 16 hexadecimal digits (64 random bits): one start of the capturing process. */
  run(): string;
}

export function createIds(clock: Clock, random: Random): Ids {
  return {
    offlineId: () => v7({ msecs: Math.round(clock.wallMs()), random: random.bytes(16) }),
    run: () => bytesToHex(random.bytes(8)),
  };
}
