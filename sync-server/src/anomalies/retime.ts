import type { Observation } from "./observation.ts";

/** A wall clock may be set by the network without anyone lying. */
export const CLOCK_TOLERANCE_MS = 120_000;

/**
 * Capture times of one boot, corrected. Within a boot the tick cannot be set, so time is tick plus one constant: what the
 * relay said where it was heard in this boot, else what most of the wall readings say. Times that agree with it within
 * two minutes stay as they are. Takes the observations of one boot in any order; answers milliseconds by hash.
 */
export function retime(boot: readonly Observation[]): ReadonlyMap<string, number> {
  const anchors = boot.flatMap(({ clock }) => (clock.anchorOffsetMs === null ? [] : [clock.anchorOffsetMs]));
  const walls = boot.map(({ clock }) => clock.wallMs - clock.tick);
  const offsetMs = anchors.length > 0 ? median(anchors) : median(walls);
  return new Map(
    boot.map(({ hash, ms, clock }) => {
      const trueMs = clock.tick + offsetMs;
      return [hash, Math.abs(ms - trueMs) > CLOCK_TOLERANCE_MS ? Math.round(trueMs) : ms];
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
