/** A usual handshake takes three ways there and back: under a second on 3G. */
const LEAST_MS = 10_000;
/** On 2G with a bad signal TLS alone takes half of this. */
const MOST_MS = 60_000;
/** The signal may be this much worse than at the last opening. */
const SLOWER = 4;

/**
 * How long a connection may take to open before it is given up and tried anew. Packets that vanish are sent again ever
 * more rarely by the platform, so a signal that is back is found sooner by a new try; and a signal that is there but bad
 * must not be given up each time just before the end. So: four times what the last opening took, doubled with each one
 * that was given up, between 10 and 60 s.
 */
export interface OpeningPatience {
  ms(): number;
  opened(tookMs: number): void;
  givenUp(): void;
}

export function createOpeningPatience(): OpeningPatience {
  let longestMs = LEAST_MS;
  const between = (ms: number) => Math.min(MOST_MS, Math.max(LEAST_MS, ms));
  return {
    ms: () => longestMs,
    opened: (tookMs) => {
      longestMs = between(tookMs * SLOWER);
    },
    givenUp: () => {
      longestMs = between(longestMs * 2);
    },
  };
}
