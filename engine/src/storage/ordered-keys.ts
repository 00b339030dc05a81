/** A set of keys in code unit order, with the span of those that share a prefix. */
export interface OrderedKeys {
  add(key: string): void;
  remove(key: string): void;
  withPrefix(prefix: string): readonly string[];
}

export function createOrderedKeys(initial: Iterable<string>): OrderedKeys {
  const keys = [...initial].sort();
  const firstAtLeast = (key: string): number => {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    add: (key) => {
      // New keys mostly count up, so the end is tried first.
      const last = keys.at(-1);
      if (last === undefined || last < key) {
        keys.push(key);
        return;
      }
      const at = firstAtLeast(key);
      if (keys[at] !== key) keys.splice(at, 0, key);
    },
    remove: (key) => {
      const at = firstAtLeast(key);
      if (keys[at] === key) keys.splice(at, 1);
    },
    withPrefix: (prefix) => {
      const from = firstAtLeast(prefix);
      let to = from;
      while (to < keys.length && (keys[to] as string).startsWith(prefix)) to += 1;
      return keys.slice(from, to);
    },
  };
}
