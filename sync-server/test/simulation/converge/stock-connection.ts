import { decodeFrame, encodeFrame, limits, refusals } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { Caller, Connection, StockDoor } from "../../../src/relay/part.ts";
import type { SimulatedStockClient } from "./stock-client.ts";

const anyMessage = z.record(z.string(), z.unknown());

/** What the door needs of a websocket. */
class SimulatedSocket extends EventEmitter {
  isPaused = false;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
}

/** One websocket between a stock client and the relay's door for them: two queues of real frames. */
export class StockConnection {
  /** The relay's side. */
  private readonly face: Connection;
  private readonly client: SimulatedStockClient;
  private readonly socket = new SimulatedSocket();
  private readonly toRelay: Uint8Array[] = [];
  private readonly toClient: Uint8Array[] = [];
  private open = true;
  private closing = false;

  constructor(id: number, caller: Caller, client: SimulatedStockClient) {
    this.client = client;
    this.face = {
      id,
      caller,
      send: () => assert.fail("a stock client understands no message of ours"),
      sendFrame: (frame) => this.sendFrame(frame),
      refuse: (_n, refusal) => {
        if (refusals[refusal.code].close !== null) this.closing = true;
      },
      bufferedBytes: () => this.bufferedBytes(),
      close: () => {
        this.closing = true;
      },
    };
  }

  start(door: StockDoor): void {
    door.serve(this.socket as unknown as WebSocket, this.face);
    this.client.connected(this);
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** The door takes messages one after the other by itself; what it waits for is a commit. */
  get busy(): boolean {
    return false;
  }

  ready(direction: "up" | "down"): boolean {
    if (!this.open) return false;
    if (direction === "down") return this.toClient.length > 0 || this.closing;
    return this.toRelay.length > 0 && !this.closing && !this.socket.isPaused;
  }

  deliver(direction: "up" | "down"): void {
    const frame = (direction === "up" ? this.toRelay : this.toClient).shift();
    if (frame === undefined && this.closing) this.cut();
    if (frame === undefined || !this.open) return;
    if (direction === "up") {
      this.socket.emit("message", Buffer.from(frame), true);
      return;
    }
    const message = decodeFrame(anyMessage, frame);
    assert.ok(message.ok, "the relay speaks CBOR to stock clients");
    this.client.receive(message.value);
  }

  cut(relayIsThere = true): void {
    if (!this.open) return;
    this.open = false;
    if (relayIsThere) this.socket.emit("close");
  }

  /** The client's side. */
  say(message: object): void {
    if (this.open) this.toRelay.push(encodeFrame(message).slice());
  }

  private sendFrame(frame: Uint8Array): void {
    if (!this.open || this.closing) return;
    if (this.bufferedBytes() + frame.length > limits.sendQueueBytes) this.closing = true;
    else this.toClient.push(frame.slice());
  }

  private bufferedBytes(): number {
    return this.toClient.reduce((sum, frame) => sum + frame.length, 0);
  }
}
