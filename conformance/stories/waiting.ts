const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Polls for a state that comes by itself, such as a document that is on its way. */
export async function waitFor<T>(what: string, ask: () => Promise<T | null | undefined>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== null && answer !== undefined) return answer;
    if (performance.now() > until) throw new Error(`${what} did not come in ${PATIENCE_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
