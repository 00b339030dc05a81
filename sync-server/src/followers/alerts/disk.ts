import type { Watch } from "./watch.ts";

const LEAST_BYTES = 1_000_000_000;
const LEAST_SHARE = 0.05;

/** The relay's disk is nearly full. Phones keep their work, but soon nothing more can be taken in. */
export const diskLow: Watch = {
  name: "disk",
  look: ({ disk }) => {
    if (disk === null || (disk.freeBytes >= LEAST_BYTES && disk.freeBytes / disk.totalBytes >= LEAST_SHARE)) return [];
    const free = (disk.freeBytes / 1_000_000_000).toFixed(1);
    return [
      { subject: "disk", rep: null, reason: `Only ${free} GB are free on the relay's disk.`, evidence: { ...disk } },
    ];
  },
};
