import type { PhoneMessage, Refusal, RelayMessage, Role } from "@sampai/engine/wire";
import type { WebSocket } from "ws";

/** Who speaks, as the upgrade authenticated it: never as a message says it. */
export interface Caller {
  readonly device: string;
  /** The person's code, such as `R012`. */
  readonly person: string;
  readonly name: string;
  readonly role: Role;
  /** Hexadecimal Ed25519 key of the device. */
  readonly publicKey: string;
  /** Territory codes at the time of the connection; `*` is the whole workspace. */
  readonly territories: readonly string[];
}

/** One open websocket of one device. */
export interface Connection {
  readonly id: number;
  readonly caller: Caller;
  /** Sends a message. A connection whose queue is over `limits.sendQueueBytes` is closed as too slow instead. */
  send(message: RelayMessage): void;
  /** The same for a frame encoded once for many readers. */
  sendFrame(frame: Uint8Array): void;
  /** Answers a request with a refusal, closes where the table says so, and notes it in the trail. */
  refuse(n: number | null, refusal: Refusal): void;
  bufferedBytes(): number;
  close(code: number, reason: string): void;
}

/**
 * What a room of the relay does with a connection. Each message type belongs to one part. A part gets a connection's
 * messages in their order, the next one when the promise of the last is settled; parts do not wait for each other.
 * `receive` MUST answer every request once, by its `n`; what it throws ends this connection with `relay.busy`, never
 * the process.
 */
export interface RelayPart {
  readonly name: string;
  readonly handles: readonly PhoneMessage["type"][];
  opened?(connection: Connection): void;
  receive(connection: Connection, message: PhoneMessage): void | Promise<void>;
  closed?(connection: Connection): void;
}

/** Where websockets go that offer no subprotocol of ours: clients of automerge-repo. */
export interface StockDoor {
  /** Serves the websocket until it closes; answers the connection as the other rooms see it. */
  serve(socket: WebSocket, connection: Connection): Connection;
}
