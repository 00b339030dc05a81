/**
 * The first of `count` positions from `from` on at which `read` throws, where reading all of them at once did; null
 * where each can be read alone.
 */
export function firstUnreadable(read: (position: number) => unknown, from: number, count: number): number | null {
  for (let position = from; position < from + count; position += 1) {
    try {
      read(position);
    } catch {
      return position;
    }
  }
  return null;
}
