import type { Tip } from "@sampai/engine/wire";
import { giveBack, type GivenBack } from "./give-back.ts";
import type { DeviceLog } from "./log-transaction.ts";

/** What the log knows of a device, as an answer to the tips that it claims. */
export interface Standing {
  readonly tips: readonly Tip[];
  readonly wants: readonly string[];
  /** Declared holes that nothing has filled. */
  readonly holes: readonly string[];
  /** Events of the device, any run, that its claim does not cover. */
  readonly give: readonly GivenBack[];
}

/** Takes the tips that a device claims: what is not here is expected from now on. A union, never an overwrite. */
export function takeTips(device: DeviceLog, claimed: readonly Tip[]): Standing {
  for (const tip of claimed) {
    if (device.positionOf(tip.hash) === undefined && !device.isHole(tip.hash)) device.expect(tip);
  }
  return {
    tips: device.tips(),
    wants: device.wants(),
    holes: device.openHoles(),
    give: giveBack(device, claimed),
  };
}
