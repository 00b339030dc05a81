import type { Claim } from "@sampai/engine/wire";

/** What a phone with nothing queued declares on contact. */
export function idleClaim(change: Partial<Claim> = {}): Claim {
  return {
    v: 1,
    workspace: "w",
    device: "d1",
    at: "2026-11-25T02:00:00.000Z",
    tips: [],
    damaged: 0,
    acks: [],
    queue: { events: 0, orders: 0, oldestAt: null, documents: 0, photos: 0, photoBytes: 0 },
    photosOwed: [],
    dirty: [],
    cursor: null,
    pack: null,
    attempts: [],
    spent: { day: "2026-11-25", sentBytes: 0, receivedBytes: 0 },
    app: "test",
    ...change,
  };
}
