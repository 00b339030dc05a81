export interface Coordinates {
  /** Degrees, WGS 84. */
  readonly lat: number;
  readonly lon: number;
}

const EARTH_RADIUS_METERS = 6_371_008.8;

/** Great-circle distance by the haversine formula (R. W. Sinnott, Sky and Telescope 68, 1984), in metres. */
export function distanceMeters(a: Coordinates, b: Coordinates): number {
  const radians = Math.PI / 180;
  const halfLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const halfLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const h = halfLat ** 2 + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * halfLon ** 2;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
}
