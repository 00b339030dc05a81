/** A box around Malaysia, degrees WGS 84: from Perlis and the Langkawi islands to the east of Sabah. */
const malaysia = { south: 0.8, north: 7.6, west: 98.9, east: 119.5 } as const;

/** Why a point cannot be an outlet in Malaysia, or null where it can. */
export function notInMalaysia(lat: number, lon: number): string | null {
  const inside = (a: number, b: number) =>
    malaysia.south <= a && a <= malaysia.north && malaysia.west <= b && b <= malaysia.east;
  if (inside(lat, lon)) return null;
  if (inside(lon, lat)) return "latitude and longitude are swapped";
  if (Math.abs(lat) < 0.01 && Math.abs(lon) < 0.01) return "0, 0 is no place but a missing one: leave both cells empty";
  return `${lat}, ${lon} is outside Malaysia`;
}
