// As much of vitest as automerge-repo's storage suite uses, over node:test, so that their cases run as they are written.
import assert from "node:assert/strict";
import { it as nodeIt } from "node:test";

export { describe } from "node:test";

type Context = Record<string, unknown>;
type Hook = (context: Context) => Promise<(() => void | Promise<void>) | undefined>;
let hook: Hook | null = null;

/** Holds for the cases that are declared after it. */
export function beforeEach(run: Hook): void {
  hook = run;
}

export function it(title: string, run: (context: Context) => Promise<void>): void {
  const prepare = hook;
  void nodeIt(title, async () => {
    const context: Context = {};
    const teardown = await prepare?.(context);
    try {
      await run(context);
    } finally {
      await teardown?.();
    }
  });
}

export function expect(actual: unknown) {
  return {
    toBeUndefined: () => assert.equal(actual, undefined),
    toStrictEqual: (expected: unknown) => assert.deepEqual(actual, expected),
  };
}
