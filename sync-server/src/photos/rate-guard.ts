import type { Clock } from "@sampai/engine/core";
import type { PhotoLimits } from "./room.ts";

/**
 * Cuts off a request body that comes too slowly, so that nobody can hold uploads open for ever. What has come is kept.
 */
export function createRateGuard(clock: Clock, { bytesPerSecond, slowMs }: PhotoLimits): (request: Request) => Request {
  const leastBytes = (bytesPerSecond * slowMs) / 1_000;
  return (request) => {
    if (request.body === null) return request;
    let windowBytes = 0;
    let cancel: () => void = () => undefined;
    const guard = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => {
        const check = () => {
          if (windowBytes < leastBytes) {
            controller.error(new Error("the body comes too slowly"));
            return;
          }
          windowBytes = 0;
          cancel = clock.after(slowMs, check);
        };
        cancel = clock.after(slowMs, check);
      },
      transform: (chunk, controller) => {
        windowBytes += chunk.length;
        controller.enqueue(chunk);
      },
      flush: () => cancel(),
    });
    request.signal.addEventListener("abort", () => cancel(), { once: true });
    const { method, headers } = request;
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers,
      body: request.body.pipeThrough(guard),
      duplex: "half",
    };
    return new Request(request.url, init);
  };
}
