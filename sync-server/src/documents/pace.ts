import type { Clock } from "@sampai/engine/core";
import type { FeedCursor } from "@sampai/engine/wire";

/**
 * How fast a catch-up may go. A phone answers each frame with `fed` when it is durable; few frames are under way at a
 * time, so that an order's acknowledgement does not stand behind a megabyte of documents. A quick phone gets more.
 */
export class Pace {
  private readonly sent: { readonly cursor: FeedCursor; readonly atMs: number }[] = [];
  private window = FEWEST;
  private everFed = false;
  private wake: (() => void) | null = null;
  private readonly clock: Pick<Clock, "tickMs" | "after">;

  constructor(clock: Pick<Clock, "tickMs" | "after">) {
    this.clock = clock;
  }

  note(cursor: FeedCursor): void {
    this.sent.push({ cursor, atMs: this.clock.tickMs() });
  }

  fed(cursor: FeedCursor): void {
    this.everFed = true;
    while (this.sent[0] !== undefined && covers(cursor, this.sent[0].cursor)) {
      const tookMs = this.clock.tickMs() - this.sent[0].atMs;
      this.window = tookMs < QUICK_MS ? Math.min(MOST, this.window + 1) : FEWEST;
      this.sent.shift();
    }
    this.wake?.();
  }

  /** Resolves when the next frame may go. A reader that never says `fed` gets the rest unpaced after a while. */
  async turn(bufferedBytes: () => number, ended: () => boolean): Promise<void> {
    while (!ended() && bufferedBytes() > BUFFERED_BYTES) await this.wait(10);
    const until = this.clock.tickMs() + PATIENCE_MS;
    while (!ended() && this.sent.length >= this.window) {
      if (!this.everFed && this.clock.tickMs() >= until) {
        this.sent.length = 0;
        this.window = Infinity;
        return;
      }
      await this.wait(this.everFed ? 10_000 : PATIENCE_MS);
    }
  }

  private wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.wake = null;
        resolve();
      };
      const cancel = this.clock.after(delayMs, done);
      this.wake = done;
    });
  }

  /** Ends the waiting: the connection is gone, or asks anew. */
  end(): void {
    this.wake?.();
  }
}

const FEWEST = 2;
const MOST = 32;
const QUICK_MS = 100;
const BUFFERED_BYTES = 24_576;
const PATIENCE_MS = 2_000;

const covers = (fed: FeedCursor, sent: FeedCursor) => fed.position >= sent.position && fed.scope >= sent.scope;
