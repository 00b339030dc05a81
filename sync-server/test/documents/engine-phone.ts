import {
  createDocuments,
  createDocumentSync,
  createMemoryStorage,
  documentId,
  schemaRules,
  type DocumentKind,
  type DocumentStore,
  type DocumentSync,
  type Identity,
  type Lanes,
  type Result,
  type Wire,
  type WireFailure,
} from "@sampai/engine";
import {
  decodeFrame,
  encodeFrame,
  phoneMessageSchema,
  relayMessageSchema,
  type PhoneMessage,
  type RelayMessage,
} from "@sampai/engine/wire";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Caller, Connection } from "../../src/relay/part.ts";
import type { Desk } from "./desk.ts";

const openLanes: Lanes = {
  waiting: () => undefined,
  enter: () => Promise.resolve(() => undefined),
  mustYield: () => false,
};

/** The engine's own documents and document sync, on memory storage, wired to a desk: every message crosses as a frame. */
export class EnginePhone {
  readonly caller: Caller;
  readonly documents: DocumentStore;
  private readonly sync: DocumentSync;
  private readonly workspace: string;
  private cut: (() => void) | null = null;

  private constructor(caller: Caller, workspace: string, documents: DocumentStore, sync: DocumentSync) {
    this.caller = caller;
    this.workspace = workspace;
    this.documents = documents;
    this.sync = sync;
  }

  /** `believes` is the role that the phone's own app thinks it has. */
  static async start(desk: Desk, caller: Caller, believes = caller.role): Promise<EnginePhone> {
    const identity: Identity = {
      workspace: desk.folder.workspace.id,
      device: caller.device,
      rep: caller.person,
      name: caller.name,
      role: believes,
      zone: "Asia/Kuala_Lumpur",
      relay: "",
      token: "",
      secretKey: "",
      publicKey: "",
      rootKey: "",
      certificate: "",
      certificateSignature: "",
    };
    const clock = createSystemClock();
    const documents = await createDocuments({
      identity,
      clock,
      random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      storage: createMemoryStorage(),
      anchor: () => null,
      rules: () => schemaRules,
    });
    const sync = createDocumentSync({ documents, lanes: openLanes, clock, attempted: () => undefined });
    return new EnginePhone(caller, identity.workspace, documents, sync);
  }

  id(kind: DocumentKind, key: string): string {
    return documentId(this.workspace, kind, key);
  }

  get online(): boolean {
    return this.cut !== null;
  }

  goOnline(desk: Desk, territories = this.caller.territories): void {
    if (this.cut !== null) return;
    let open = true;
    let n = 0;
    const pending = new Map<number, (answer: Result<never, WireFailure>) => void>();
    const answers = new Map<number, Promise<Result<never, WireFailure>>>();
    let turn = Promise.resolve();
    const toPhone = (frame: Uint8Array) => {
      // A frame is on its way for a moment, as on a socket.
      setImmediate(() => {
        if (!open) return;
        const message = decodeFrame(relayMessageSchema, frame);
        assert.ok(message.ok);
        const number = "n" in message.value ? message.value.n : null;
        const answer = number === null ? undefined : pending.get(number);
        if (number === null || answer === undefined) return this.sync.receive(message.value);
        pending.delete(number);
        if (message.value.type === "refused") answer({ ok: false, error: { code: message.value.code } });
        else answer({ ok: true, value: message.value as never });
      });
    };
    const send = (message: RelayMessage) => toPhone(encodeFrame(message).slice());
    const connection: Connection = {
      id: 0,
      caller: { ...this.caller, territories },
      send,
      sendFrame: (frame) => toPhone(frame.slice()),
      refuse: (number, refusal) => send({ type: "refused", n: number, ...refusal }),
      bufferedBytes: () => 0,
      close: () => this.goOffline(),
    };
    const post = (message: PhoneMessage) => {
      const frame = encodeFrame(message).slice();
      turn = turn.then(async () => {
        await new Promise(setImmediate);
        const read = decodeFrame(phoneMessageSchema, frame);
        assert.ok(read.ok, "the engine speaks the wire");
        if (open) await desk.part.receive(connection, read.value);
      });
    };
    const expect = (number: number) => {
      const known = answers.get(number);
      if (known !== undefined) return known;
      const answer = new Promise<Result<never, WireFailure>>((resolve) => {
        if (open) pending.set(number, resolve);
        else resolve({ ok: false, error: { code: "lost" } });
      });
      answers.set(number, answer);
      return answer;
    };
    const wire: Wire = {
      begin: () => (n += 1),
      sendPiece: (number, message) => post({ ...message, n: number }),
      answer: (number) => expect(number),
      request: (message) => {
        n += 1;
        const numbered: PhoneMessage = { ...message, n };
        const answer = expect(n);
        post(numbered);
        return answer;
      },
      send: post,
      giveUp: () => this.goOffline(),
    };
    this.cut = () => {
      open = false;
      desk.part.closed?.(connection);
      for (const answer of pending.values()) answer({ ok: false, error: { code: "lost" } });
      pending.clear();
      this.sync.lost();
    };
    desk.part.opened?.(connection);
    const claimed = { type: "claimed", n: 0, term: desk.folder.term, at: new Date().toISOString() } as const;
    this.sync.connected(wire, { ...claimed, tips: [], wants: [], holes: [], give: [], head: 0, pack: null });
  }

  goOffline(): void {
    this.cut?.();
    this.cut = null;
  }

  idle(): Promise<void> {
    return this.sync.idle();
  }
}
