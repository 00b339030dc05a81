import type { Fix } from "./observation.ts";

/** The box around Malaysia, with its waters. */
const box = { south: 0.7, north: 7.6, west: 99.4, east: 119.5 } as const;

/** Above this radius in metres a fix cannot tell one street from the next. */
export const COARSE_METERS = 500;

export function inCountry({ lat, lon }: { readonly lat: number; readonly lon: number }): boolean {
  return lat >= box.south && lat <= box.north && lon >= box.west && lon <= box.east;
}

/** Whether a fix may be used to judge another one by: a fix that is itself doubtful never is. */
export function isTrusted(fix: Fix | null): fix is Fix {
  return fix !== null && !fix.mock && fix.accuracy <= COARSE_METERS && inCountry(fix);
}
