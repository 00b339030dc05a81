/** A promise this code made to itself was broken. Nothing catches it but the top of the process. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

export function assert(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new BrokenPromise(promise);
}

/** For the `default` branch of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new BrokenPromise(`no branch handles ${JSON.stringify(value)}`);
}
