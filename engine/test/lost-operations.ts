/** Operations that a disk without order may still lose when it stops. */
const IN_FLIGHT = 3;

/**
 * Every way in which a disk that keeps no order can have lost some of its last operations: each subset of the last three
 * of `count`, but for the empty one.
 */
export function lostOperations(count: number): readonly ReadonlySet<number>[] {
  const last = Array.from({ length: Math.min(IN_FLIGHT, count) }, (_, back) => count - 1 - back);
  return Array.from(
    { length: 2 ** last.length - 1 },
    (_, subset) => new Set(last.filter((_index, bit) => (((subset + 1) >> bit) & 1) === 1)),
  );
}
