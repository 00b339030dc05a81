import { clockJump } from "./clock-jump.ts";
import { coarseFix } from "./coarse-fix.ts";
import { contradictions } from "./contradictions.ts";
import type { Detector } from "./detector.ts";
import { geofence } from "./geofence.ts";
import { impossiblePlace } from "./impossible-place.ts";
import { impossibleTravel } from "./impossible-travel.ts";
import { mockLocation } from "./mock-location.ts";
import { photoCopy } from "./photo-copy.ts";
import { photoReuseAtStore, photoReuseByRep } from "./photo-reuse.ts";
import { stuckGps } from "./stuck-gps.ts";
import { syncDelay } from "./sync-delay.ts";
import { unusualOrder } from "./unusual-order.ts";

/** Every detector there is. A new one is a file and a line here. */
export const detectors: readonly Detector[] = [
  impossiblePlace,
  coarseFix,
  mockLocation,
  stuckGps,
  geofence,
  impossibleTravel,
  contradictions,
  syncDelay,
  photoCopy,
  photoReuseAtStore,
  photoReuseByRep,
  clockJump,
  unusualOrder,
];
