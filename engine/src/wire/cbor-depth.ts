const [BYTES, TEXT, LIST, MAP, TAG] = [2, 3, 4, 5, 6];
const INDEFINITE = 31;
const BREAK = 0xff;

/**
 * Whether CBOR (RFC 8949 §3) opens lists, maps or tags inside each other more often than `limit`. A decoder walks down
 * each of them, so a few bytes of nesting would cost it its whole stack. Only the heads of items are looked at. Of bytes
 * that are no CBOR it may say either: the decoder finds those.
 */
export function nestsDeeperThan(limit: number, bytes: Uint8Array): boolean {
  /** Items that are still to come, for each level that is open. */
  const open: number[] = [];
  const itemEnds = () => {
    for (let left = open.pop(); left !== undefined; left = open.pop()) {
      if (left === 1) continue;
      open.push(left - 1);
      return;
    }
  };
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at] as number;
    const [major, short] = [head >> 5, head & 31];
    at += 1;
    let argument = short;
    if (short > 23 && short < 28) {
      argument = 0;
      for (const end = at + 2 ** (short - 24); at < end; at += 1) argument = argument * 256 + (bytes[at] ?? 0);
    }
    let items = 0;
    if (short === INDEFINITE && head !== BREAK) items = Infinity;
    else if (major === LIST) items = argument;
    else if (major === MAP) items = 2 * argument;
    else if (major === TAG) items = 1;
    else if (major === BYTES || major === TEXT) at += argument;
    if (head === BREAK) open.pop();
    if (items === 0) itemEnds();
    else if (open.push(items) > limit) return true;
  }
  return false;
}
