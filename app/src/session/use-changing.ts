import { useEffect, useState } from "react";

/** A value of the engine that changes: read when the screen opens and again whenever `subscribe` says so. */
export function useChanging<T>(subscribe: (changed: () => void) => () => void, read: () => T, keys: unknown[] = []): T {
  const [value, setValue] = useState(read);
  useEffect(() => {
    let open = true;
    const again = () => {
      if (open) setValue(() => read());
    };
    const stop = subscribe(again);
    again();
    return () => {
      open = false;
      stop();
    };
    // `keys` name what `read` depends on.
  }, keys);
  return value;
}
