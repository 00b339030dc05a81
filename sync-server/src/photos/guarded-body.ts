import type { Clock } from "@sampai/engine/core";
import type { PhotoLimits } from "./limits.ts";

/**
 * Turns a request's body into one that ends early where its link breaks or is too slow, instead of failing: what has
 * come is then written to the end, so that a phone goes on from there, and nobody can hold uploads open for ever.
 */
export function createBodyGuard(clock: Clock, { bytesPerSecond, slowMs }: PhotoLimits): (request: Request) => Request {
  const leastBytes = (bytesPerSecond * slowMs) / 1_000;
  return (request) => {
    if (request.body === null) return request;
    const reader = request.body.getReader();
    let windowBytes = 0;
    const watch = (): (() => void) =>
      clock.after(slowMs, () => {
        if (windowBytes < leastBytes) {
          // A read that waits resolves as the end.
          reader.cancel("too slow").catch(() => undefined);
          return;
        }
        windowBytes = 0;
        unwatch = watch();
      });
    let unwatch = watch();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const next = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
        if (next.done) {
          unwatch();
          controller.close();
          return;
        }
        windowBytes += next.value.length;
        controller.enqueue(next.value);
      },
      cancel: (reason) => {
        unwatch();
        return reader.cancel(reason);
      },
    });
    const { method, headers } = request;
    const init: RequestInit & { duplex: "half" } = { method, headers, body, duplex: "half" };
    return new Request(request.url, init);
  };
}
