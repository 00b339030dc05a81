import {
  decodeFrame,
  encodeFrame,
  batchMessage,
  claimMessage,
  holeMessage,
  PROTOCOL,
  relayMessageSchema,
  type AppendItem,
  type Certificate,
  type Claim,
  type EnrolAnswer,
  type PhoneMessage,
  type RelayMessage,
} from "@sampai/engine/wire";
import { eventBytes, eventHash, eventKinds, type Envelope } from "@sampai/engine";
import { bytesToHex, sha256Hex } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID, sign, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { idleClaim } from "./idle-claim.ts";

export interface TestEvent extends AppendItem {
  readonly run: string;
  readonly hash: string;
  readonly id: string;
}

/** A device that speaks the wire by hand, so that a test can also speak it wrongly. */
export interface WirePhone {
  readonly device: string;
  readonly workspace: string;
  readonly token: string;
  /** A new run with events chained one to the next; `after` is the event that it follows. */
  events(count: number, options?: EventOptions): TestEvent[];
  signBatch(events: readonly TestEvent[], as?: { workspace?: string }): Uint8Array;
  appendMessage(n: number, events: readonly TestEvent[]): PhoneMessage;
  holeMessage(n: number, hole: { run: string; seq: number; hash: string }): PhoneMessage;
  claimMessage(n: number, tips: Claim["tips"], change?: Partial<Claim>): PhoneMessage;
  connect(url?: string): Promise<Conversation>;
}

export interface EventOptions {
  readonly run?: string;
  readonly from?: number;
  readonly after?: TestEvent | null;
  readonly id?: string;
  readonly change?: (envelope: Envelope) => Envelope;
}

/** An open websocket. */
export interface Conversation {
  readonly socket: WebSocket;
  /** Resolves with the answer to the request of that number. */
  ask(message: PhoneMessage): Promise<RelayMessage>;
  send(frame: Uint8Array | string): void;
  /** The next message that answers no request. */
  next(): Promise<RelayMessage>;
  closed: Promise<{ code: number; reason: string }>;
}

export async function enrolPhone(url: string, code: string): Promise<WirePhone> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const publicKey = Buffer.from(privateKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
  const answer = await fetch(`${url}/v1/enrol`, {
    method: "POST",
    body: JSON.stringify({ code, publicKey, platform: "test" }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const enrolled = (await answer.json()) as EnrolAnswer;
  const certificate = JSON.parse(enrolled.certificate) as Certificate;
  return phoneFrom(
    url,
    certificate,
    enrolled.token,
    createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })),
  );
}

function phoneFrom(home: string, certificate: Certificate, token: string, key: KeyObject): WirePhone {
  const { device, workspace, rep } = certificate;
  const signed = (message: Uint8Array) => new Uint8Array(sign(null, message, key));
  const signBatch = (events: readonly TestEvent[], as: { workspace?: string } = {}) =>
    signed(batchMessage({ workspace, device, ...(events.at(-1) as TestEvent), ...as }));
  return {
    device,
    workspace,
    token,
    events: (count, options = {}) => makeEvents({ device, workspace, rep }, count, options),
    signBatch,
    appendMessage: (n, events) => ({
      type: "append",
      n,
      run: (events[0] as TestEvent).run,
      events: events.map(({ seq, prev, bytes }) => ({ seq, prev, bytes })),
      signature: signBatch(events),
    }),
    holeMessage: (n, hole) => ({
      type: "hole",
      n,
      ...hole,
      signature: signed(holeMessage({ workspace, device, ...hole })),
    }),
    claimMessage: (n, tips, change = {}) => {
      const claim = new TextEncoder().encode(JSON.stringify(idleClaim({ workspace, device, tips, ...change })));
      return { type: "claim", n, claim, signature: signed(claimMessage(sha256Hex(claim))) };
    },
    connect: (url = home) => converse(`${url.replace("http", "ws")}/v1/sync`, [PROTOCOL, `bearer.${token}`]),
  };
}

export async function converse(address: string, protocols: string[]): Promise<Conversation> {
  const socket = new WebSocket(address, protocols, { perMessageDeflate: false });
  const answers = new Map<number, (message: RelayMessage) => void>();
  const unasked: RelayMessage[] = [];
  const waiting: ((message: RelayMessage) => void)[] = [];
  socket.on("message", (data: Buffer) => {
    const message = decodeFrame(relayMessageSchema, data);
    assert.ok(message.ok, "the relay sent a frame that is not of the wire");
    const n = "n" in message.value ? message.value.n : null;
    const answer = n === null ? undefined : answers.get(n);
    if (answer !== undefined) answer(message.value);
    else if (waiting.length > 0) waiting.shift()?.(message.value);
    else unasked.push(message.value);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "open"), closed]);
  return {
    socket,
    closed,
    send: (frame) => socket.send(frame),
    ask: (message) =>
      new Promise((resolve) => {
        answers.set((message as { n: number }).n, resolve);
        socket.send(encodeFrame(message));
      }),
    next: () => {
      const message = unasked.shift();
      return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message);
    },
  };
}

function makeEvents(
  who: { device: string; workspace: string; rep: string },
  count: number,
  { run = randomBytes(8).toString("hex"), from = 1, after = null, id, change = same }: EventOptions,
): TestEvent[] {
  const events: TestEvent[] = [];
  let before = after;
  for (let seq = from; seq < from + count; seq += 1) {
    const envelope = change(envelopeOf(who, run, seq, before, id ?? randomUUID()));
    const bytes = eventBytes(envelope);
    before = { run, seq, prev: before?.hash ?? null, hash: eventHash(bytes), bytes, id: envelope.id };
    events.push(before);
  }
  return events;
}

const same = (envelope: Envelope) => envelope;

function envelopeOf(
  who: { device: string; workspace: string; rep: string },
  run: string,
  seq: number,
  before: TestEvent | null,
  id: string,
): Envelope {
  return {
    v: 1,
    id,
    kind: eventKinds.orderPlaced.name,
    ...who,
    run,
    seq,
    prev: seq === 1 ? null : (before?.hash ?? null),
    ...(seq === 1 ? { parent: before === null ? null : { run: before.run, seq: before.seq, hash: before.hash } } : {}),
    visit: "01936a5e-0000-7000-8000-000000000002",
    store: "S-0481",
    at: "2026-11-23T07:15:14.123Z",
    offset: 480,
    zone: "Asia/Kuala_Lumpur",
    clock: { tick: 1, boot: "b", anchor: null, wall: "2026-11-23T07:15:14.123Z" },
    place: { missing: "denied" },
    seen: { pack: null, store: [] },
    body: eventKinds.orderPlaced.golden,
  };
}

export const randomHash = (): string => bytesToHex(randomBytes(32));
