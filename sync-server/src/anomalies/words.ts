/** Metres → text such as `340 m`, `2.1 km`, `84 km`. */
export function distanceWords(meters: number): string {
  if (meters < 1_000) return `${Math.round(meters)} m`;
  return meters < 10_000 ? `${(meters / 1_000).toFixed(1)} km` : `${Math.round(meters / 1_000)} km`;
}

/** Milliseconds → text such as `45 s`, `6 min`, `9 h`, `3 d 4 h`. */
export function durationWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 72) return `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}
