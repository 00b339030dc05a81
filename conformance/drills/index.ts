import { diskErrors } from "./disk-errors.ts";
import { flips } from "./flips.ts";
import { photos } from "./photos.ts";
import { powerCut } from "./power-cut.ts";
import { relayKill } from "./relay-kill.ts";
import { rescue } from "./rescue.ts";
import { restore } from "./restore.ts";
import type { Drill } from "./story.ts";

/** Every drill there is, by the word an operator types. */
export const drills: Readonly<Record<string, Drill>> = {
  "disk-errors": diskErrors,
  flips,
  photos,
  "power-cut": powerCut,
  "relay-kill": relayKill,
  rescue,
  restore,
};
