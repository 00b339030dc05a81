import type { DocumentSync, Result, Wire, WireFailure } from "@sampai/engine";
import {
  decodeFrame,
  encodeFrame,
  limits,
  phoneMessageSchema,
  refusals,
  relayMessageSchema,
  type PhoneMessage,
  type Refusal,
  type RelayMessage,
} from "@sampai/engine/wire";
import assert from "node:assert/strict";
import type { Caller, Connection, RelayPart } from "../../../src/relay/part.ts";

type Answer = Result<never, WireFailure>;

/** One websocket between a phone's document sync and the relay's documents part: two queues of real frames. */
export class SimulatedConnection implements Connection {
  readonly id: number;
  readonly caller: Caller;
  private readonly part: RelayPart;
  private readonly sync: DocumentSync;
  private readonly toRelay: Uint8Array[] = [];
  private readonly toPhone: Uint8Array[] = [];
  private readonly pending = new Map<number, (answer: Answer) => void>();
  private readonly answers = new Map<number, Promise<Answer>>();
  private n = 0;
  private handling = false;
  private open = true;
  /** The relay has said its last word here: what is on its way arrives, then it ends. */
  private closing = false;

  constructor(id: number, caller: Caller, part: RelayPart, sync: DocumentSync) {
    this.id = id;
    this.caller = caller;
    this.part = part;
    this.sync = sync;
  }

  start(term: string, at: string): void {
    this.part.opened?.(this);
    const claimed = { type: "claimed", n: 0, term, at } as const;
    this.sync.connected(this.wire(), { ...claimed, tips: [], wants: [], holes: [], give: [], head: 0, pack: null });
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Whether a frame waits that this direction can take now. */
  ready(direction: "up" | "down"): boolean {
    if (!this.open) return false;
    if (direction === "down") return this.toPhone.length > 0 || this.closing;
    return this.toRelay.length > 0 && !this.handling && !this.closing;
  }

  /** Whether the relay is still busy with a frame. */
  get busy(): boolean {
    return this.open && this.handling;
  }

  /** Delivers the oldest frame of one direction. */
  deliver(direction: "up" | "down"): void {
    const frame = (direction === "up" ? this.toRelay : this.toPhone).shift();
    if (frame === undefined && this.closing) this.cut();
    if (frame === undefined || !this.open) return;
    if (direction === "up") {
      const read = decodeFrame(phoneMessageSchema, frame);
      assert.ok(read.ok, "the engine speaks the wire");
      this.handling = true;
      void Promise.resolve(this.part.receive(this, read.value)).then(() => {
        this.handling = false;
      });
      return;
    }
    const read = decodeFrame(relayMessageSchema, frame);
    assert.ok(read.ok, "the relay speaks the wire");
    const { value } = read;
    const n = "n" in value ? value.n : null;
    const answer = n === null ? undefined : this.pending.get(n);
    if (n === null || answer === undefined) {
      this.sync.receive(value);
      return;
    }
    this.pending.delete(n);
    if (value.type === "refused") {
      const { code, detail } = value;
      answer({ ok: false, error: detail === undefined ? { code } : { code, detail } });
    } else answer({ ok: true, value: value as never });
  }

  /** Ends the connection: what is on its way in either direction is lost. */
  cut(relayIsThere = true): void {
    if (!this.open) return;
    this.open = false;
    if (relayIsThere) this.part.closed?.(this);
    for (const answer of this.pending.values()) answer({ ok: false, error: { code: "lost" } });
    this.pending.clear();
    this.sync.lost();
  }

  send(message: RelayMessage): void {
    this.sendFrame(encodeFrame(message));
  }

  sendFrame(frame: Uint8Array): void {
    if (!this.open || this.closing) return;
    if (this.bufferedBytes() + frame.length > limits.sendQueueBytes) this.close();
    else this.toPhone.push(frame.slice());
  }

  refuse(n: number | null, refusal: Refusal): void {
    this.send({ type: "refused", n, ...refusal });
    if (refusals[refusal.code].close !== null) this.close();
  }

  bufferedBytes(): number {
    return this.toPhone.reduce((sum, frame) => sum + frame.length, 0);
  }

  close(): void {
    this.closing = true;
  }

  private wire(): Wire {
    const post = (message: PhoneMessage) => {
      if (this.open) this.toRelay.push(encodeFrame(message).slice());
    };
    const expect = (n: number): Promise<Answer> => {
      const known = this.answers.get(n);
      if (known !== undefined) return known;
      const answer = new Promise<Answer>((resolve) => {
        if (this.open) this.pending.set(n, resolve);
        else resolve({ ok: false, error: { code: "lost" } });
      });
      this.answers.set(n, answer);
      return answer;
    };
    const begin = () => (this.n += 1);
    return {
      begin,
      sendPiece: (n, message) => post({ ...message, n }),
      answer: (n) => expect(n),
      request: (message) => {
        const n = begin();
        const answer = expect(n);
        const numbered: PhoneMessage = { ...message, n };
        post(numbered);
        return answer;
      },
      send: post,
      giveUp: () => this.cut(),
    };
  }
}
