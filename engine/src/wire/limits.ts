/** Every bound of the protocol, with its reason. Sizes in bytes. */
export const limits = {
  /** One websocket frame: small enough that decoding a hostile one costs little. */
  frameBytes: 1_048_576,
  /** Lists, maps and tags inside each other in CBOR: no message of ours has more than six. */
  nesting: 32,
  /** One event's bytes: the largest order seen is a few KB; a form with long notes stays below this. */
  eventBytes: 65_536,
  /** Events in one append. */
  batchEvents: 200,
  /** Event bytes in one append: folded they shrink to a fifth, so that one frame at 400 kbit/s takes about 0.2 s. */
  batchBytes: 40_960,
  /** One piece of a push, so that an order captured meanwhile waits no longer than 0.2 s at 400 kbit/s. */
  pieceBytes: 8_192,
  /** All pieces of one push together. */
  pushBytes: 524_288,
  /** One Automerge change. */
  changeBytes: 65_536,
  /** Operations in one change: 108 bytes can claim any number, so they are counted before Automerge sees them. */
  changeOperations: 10_000,
  /** Bytes of one folded feed frame, about 0.3 s at 400 kbit/s; a single larger item travels alone. */
  feedBytes: 14_336,
  /** One reference pack: 20,000 goods and schemes with long names stay below it. */
  packBytes: 16_777_216,
  /** One claim. */
  claimBytes: 131_072,
  /** Attempts a phone keeps and ships. */
  attempts: 500,
  /** One presence message: where a cursor stands, not a payload. */
  presenceBytes: 2_048,
  /** Changes that wait on one connection for dependencies which have not come, and their bytes. */
  waitingChanges: 256,
  waitingBytes: 262_144,
  /** Bytes waiting in a connection's send queue above which live changes are no longer added: it catches up instead. */
  liveQueueBytes: 65_536,
  /** Bytes waiting in one connection's send queue before it is closed as too slow. */
  sendQueueBytes: 4_194_304,
  /** Held events per device before more are refused with `relay.busy`. */
  heldEvents: 10_000,
  /** One rescue file: the queue of a phone that was offline for months. */
  rescueBytes: 67_108_864,
  /** One photo's original. */
  photoBytes: 15_728_640,
  /** One photo's preview. */
  previewBytes: 20_480,
  /** A document change may be dated this far ahead of the relay. */
  aheadMs: 600_000,
} as const;
