import { createIds } from "@sampai/engine";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import { createNobleCrypto } from "@sampai/engine/adapters/crypto";
import { createSystemRandom } from "@sampai/engine/adapters/random";

// One of each per page: ticks and boot belong together.
export const systemClock = createSystemClock();
export const systemRandom = createSystemRandom();
export const systemIds = createIds(systemClock, systemRandom);
export const systemCrypto = createNobleCrypto(systemRandom);
