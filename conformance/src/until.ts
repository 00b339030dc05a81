/** Asks again and again until there is an answer; rejects with what was waited for after `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | false | undefined>,
  timeoutMs = 60_000,
): Promise<T> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false && answer !== undefined) return answer;
    if (performance.now() > untilMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
