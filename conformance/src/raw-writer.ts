import { Encoder } from "cbor-x";
import { createHash, createPrivateKey, randomBytes, sign, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { inflateRawSync } from "node:zlib";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { json } from "node:stream/consumers";
import { WebSocket } from "ws";
import { enrolByHttp } from "./hq-client.ts";

/** One event as this room builds it from the published wire, without any code of the rooms it judges. */
export interface RawEvent {
  readonly run: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface RawAnswer {
  readonly hash: string;
  readonly answer: string;
  readonly position?: number;
}

const cbor = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true, variableMapSize: true });
/** Plain CBOR (RFC 8949), as every frame of the wire. */
export const encodeCbor = (value: unknown): Uint8Array => new Uint8Array(cbor.encode(value));
/** Reads a frame, also a folded one (W6). */
export function decodeCbor(frame: Uint8Array): Record<string, unknown> {
  const message = cbor.decode(frame) as Record<string, unknown>;
  const { deflated, words } = message;
  if (!(deflated instanceof Uint8Array)) return message;
  return decodeCbor(inflateRawSync(deflated, words === undefined ? {} : { dictionary: foldingWords(Number(words)) }));
}

const wordLists = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../vectors/folding-words.json"), "utf8"),
) as Readonly<Record<string, string>>;

/** The preset dictionary that a folded frame names. */
export function foldingWords(number: number): Buffer {
  const words = wordLists[number];
  if (words === undefined) throw new Error(`a frame is folded with words ${number}, which are not published`);
  return Buffer.from(words, "utf8");
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
// An Ed25519 private key in PKCS #8 (RFC 8410): this prefix and the 32 bytes of the seed.
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

const ORDER = {
  lines: [
    { sku: "1", quantity: 3, unit: "1kg", unitPriceSen: 869, scheme: null },
    { sku: "2", quantity: 2, unit: "1kg", unitPriceSen: 1_030, scheme: null },
  ],
  totalSen: 4_667,
  creditLimitSen: null,
  deliverOn: null,
  note: "",
};

/** A request as it goes over the wire, under the number by which its reply is known. */
export interface PreparedRequest {
  readonly n: number;
  readonly frame: Uint8Array;
}

/** The relay ended the connection, or none could be opened. */
export class ConnectionEnded extends Error {
  override readonly name = "ConnectionEnded";
}

/** The relay refused what was sent, with a code of its table. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(what: string, reply: Readonly<Record<string, unknown>>) {
    super(`${what} was answered ${JSON.stringify(reply)}`);
    this.code = String(reply["code"]);
    this.retryAfterMs = typeof reply["retryAfterMs"] === "number" ? reply["retryAfterMs"] : null;
  }
}

/** A device that knows only the wire: it makes a chain of orders, sends them in batches, and notes what was acknowledged. */
export class RawWriter {
  readonly device: string;
  readonly workspace: string;
  readonly rep: string;
  readonly acknowledged = new Map<string, number>();
  /** What came with the last acknowledgement: how far the relay says that its log is on disk. */
  promise: Readonly<Record<string, unknown>> | null = null;
  /** What the relay answered to the last claim. */
  claimed: Record<string, unknown> = {};
  #run = randomBytes(8).toString("hex");
  #seq = 0;
  #prev: string | null = null;
  #parent: { run: string; seq: number; hash: string } | null = null;
  #requests = 0;
  #socket: WebSocket | null = null;
  readonly #listeners = new Set<(message: Record<string, unknown>) => void>();
  readonly #endListeners = new Set<() => void>();
  readonly #waiting = new Map<number, (message: Record<string, unknown> | null) => void>();
  readonly #key: KeyObject;
  readonly #token: string;
  readonly #url: string;
  readonly #certificate: { readonly text: string; readonly signature: string };

  private constructor(url: string, token: string, key: KeyObject, signed: { text: string; signature: string }) {
    const certificate = JSON.parse(signed.text) as Record<string, string>;
    this.#certificate = signed;
    this.#url = url;
    this.#token = token;
    this.#key = key;
    this.device = certificate["device"] as string;
    this.workspace = certificate["workspace"] as string;
    this.rep = certificate["rep"] as string;
  }

  /** The value of the HTTP header that says who asks. */
  get authorization(): string {
    return `Bearer ${this.#token}`;
  }

  static async enrol(url: string, code: string): Promise<RawWriter> {
    const { token, secretKey, answer } = await enrolByHttp(url, code);
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secretKey]), format: "der", type: "pkcs8" });
    const signed = { text: answer["certificate"] as string, signature: answer["certificateSignature"] as string };
    return new RawWriter(url, token, key, signed);
  }

  /** A live copy of a device: its key, its token, and its run from the event on that it made last. */
  static cloneOf(
    url: string,
    identity: {
      readonly token: string;
      readonly secretKey: string;
      readonly certificate: string;
      readonly certificateSignature: string;
    },
    last: { readonly run: string; readonly seq: number; readonly hash: string },
  ): RawWriter {
    const secretKey = Buffer.from(identity.secretKey, "hex");
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secretKey]), format: "der", type: "pkcs8" });
    const signed = { text: identity.certificate, signature: identity.certificateSignature };
    const writer = new RawWriter(url, identity.token, key, signed);
    writer.#run = last.run;
    writer.#seq = last.seq;
    writer.#prev = last.hash;
    return writer;
  }

  /** Makes the next `count` orders of the chain. They exist only here until they are sent. */
  makeOrders(count: number): RawEvent[] {
    return Array.from({ length: count }, () => this.makeEvent({}));
  }

  /** Makes the next event of the chain, an order where nothing else is said. `raw` replaces its bytes altogether. */
  makeEvent(change: { kind?: string; body?: unknown; id?: string; workspace?: string; raw?: Uint8Array }): RawEvent {
    this.#seq += 1;
    const seq = this.#seq;
    const prev = seq === 1 ? (this.#parent?.hash ?? null) : this.#prev;
    const at = new Date().toISOString();
    const id = change.id ?? uuidv7();
    const envelope = {
      v: 1,
      id,
      kind: change.kind ?? "order.placed.v1",
      workspace: change.workspace ?? this.workspace,
      device: this.device,
      run: this.#run,
      seq,
      prev: seq === 1 ? null : prev,
      ...(seq === 1 ? { parent: this.#parent } : {}),
      rep: this.rep,
      visit: id,
      store: "S-0001",
      at,
      offset: 480,
      zone: "Asia/Kuala_Lumpur",
      clock: { tick: 0, boot: "raw", anchor: null, wall: at },
      place: { missing: "off" },
      seen: { pack: null, store: [] },
      body: change.body === undefined ? ORDER : change.body,
    };
    const bytes = change.raw ?? new TextEncoder().encode(JSON.stringify(envelope));
    const hash = sha256(bytes);
    this.#prev = hash;
    return { run: this.#run, seq, prev, hash, bytes };
  }

  /** As after a restart of the phone: a new run whose parent is the last event. */
  startRun(): void {
    if (this.#prev !== null) this.#parent = { run: this.#run, seq: this.#seq, hash: this.#prev };
    this.#run = randomBytes(8).toString("hex");
    this.#seq = 0;
    this.#prev = null;
  }

  /** The append frame of consecutive events of one run, signed over the last, in the name of a workspace. */
  batch(events: readonly RawEvent[], { workspace } = { workspace: this.workspace }): Record<string, unknown> {
    const last = events.at(-1) as RawEvent;
    const text = ["sampai.batch.v1", workspace, this.device, last.run, last.seq, last.prev ?? "-", last.hash].join(
      "\n",
    );
    return {
      type: "append",
      run: last.run,
      events: events.map(({ seq, prev, bytes }) => ({ seq, prev, bytes })),
      signature: new Uint8Array(sign(null, Buffer.from(text), this.#key)),
    };
  }

  /**
   * Opens a connection and exchanges an otherwise empty claim, as every contact must begin; `more` stands in it too.
   * Rejects with `ConnectionEnded` where the relay is not there or goes, with `Refused` where it does not take the claim.
   */
  async connect(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.close();
    const socket = new WebSocket(`${this.#url.replace(/^http/, "ws")}/v1/sync`, ["sampai.v1", `bearer.${this.#token}`]);
    this.#socket = socket;
    let opened = false;
    const closed = () => {
      // A later connection has taken its place: what waits belongs to that one.
      if (this.#socket !== socket) return;
      this.#ended();
      if (opened) for (const listener of this.#endListeners) listener();
    };
    socket.on("close", closed);
    socket.on("error", () => {
      // `close` follows and says it.
    });
    socket.on("message", (data: Buffer) => {
      const message = decodeCbor(data);
      for (const listener of this.#listeners) listener(message);
      const waiting = this.#waiting.get(Number(message["n"]));
      this.#waiting.delete(Number(message["n"]));
      waiting?.(message);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => {
        opened = true;
        resolve();
      });
      socket.once("close", (code) => reject(new ConnectionEnded(`closed with ${code}`)));
    });
    const claim = new TextEncoder().encode(
      JSON.stringify({
        v: 1,
        workspace: this.workspace,
        device: this.device,
        at: new Date().toISOString(),
        tips: this.#seq === 0 || this.#prev === null ? [] : [{ run: this.#run, seq: this.#seq, hash: this.#prev }],
        damaged: 0,
        acks: [],
        queue: { events: 0, orders: 0, oldestAt: null, documents: 0, photos: 0, photoBytes: 0 },
        photosOwed: [],
        dirty: [],
        cursor: null,
        pack: null,
        attempts: [],
        spent: { day: "", sentBytes: 0, receivedBytes: 0 },
        app: "conformance",
        ...more,
      }),
    );
    const signature = new Uint8Array(sign(null, Buffer.from(`sampai.claim.v1\n${sha256(claim)}`), this.#key));
    const claimed = await this.request({ type: "claim", claim, signature });
    if (claimed === null) throw new ConnectionEnded("closed before the claim was answered");
    if (claimed["type"] !== "claimed") throw new Refused("the claim", claimed);
    this.claimed = claimed;
  }

  /** Shows the certificate to a relay that does not know this device any more; `key` signs in the device's stead. */
  async enrolAgain(key: KeyObject = this.#key): Promise<{ status: number; code: string }> {
    const tokenHash = sha256(this.#token);
    const text = ["sampai.enrol-again.v1", this.workspace, this.device, tokenHash].join("\n");
    const answer = await fetch(`${this.#url}/v1/enrol/again`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        certificate: this.#certificate.text,
        certificateSignature: this.#certificate.signature,
        platform: "conformance",
        tokenHash,
        signature: sign(null, Buffer.from(text), key).toString("hex"),
      }),
    });
    const body = (await answer.json()) as { code?: string };
    return { status: answer.status, code: body.code ?? "" };
  }

  /** Declares that this device does not hold an event. */
  hole(event: Pick<RawEvent, "run" | "seq" | "hash">): Record<string, unknown> {
    const { run, seq, hash } = event;
    const text = ["sampai.hole.v1", this.workspace, this.device, run, seq, hash].join("\n");
    return { type: "hole", run, seq, hash, signature: new Uint8Array(sign(null, Buffer.from(text), this.#key)) };
  }

  /** Sends a batch by HTTP: the same frame, the same answer. */
  async post(
    batch: Record<string, unknown>,
  ): Promise<{ status: number; retryAfter: string | null; body: Record<string, unknown> }> {
    const answer = await fetch(`${this.#url}/v1/append`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/cbor" },
      body: new Uint8Array(cbor.encode({ ...batch, n: 0 })),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return {
      status: answer.status,
      retryAfter: answer.headers.get("retry-after"),
      body: (answer.ok ? cbor.decode(bytes) : JSON.parse(bytes.toString())) as Record<string, unknown>,
    };
  }

  /** Announces a body of so many bytes by HTTP and sends none of them: what is refused by its size needs no reading. */
  announce(bodyBytes: number): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/cbor",
      "content-length": String(bodyBytes),
    };
    return new Promise((resolve, reject) => {
      const request = this.#url.startsWith("https:") ? requestSecure : requestPlain;
      const asked = request(`${this.#url}/v1/append`, { method: "POST", headers }, (answer) => {
        json(answer).then((body) => {
          asked.destroy();
          resolve({ status: answer.statusCode ?? 0, body: body as Record<string, unknown> });
        }, reject);
      });
      asked.once("error", reject);
      asked.flushHeaders();
    });
  }

  /** Sends bytes as they are, and answers the next message or the close code. */
  sendRaw(frame: Uint8Array | string): Promise<{ message?: Record<string, unknown>; closed?: number }> {
    const socket = this.#socket;
    if (socket === null) throw new Error("not connected");
    return new Promise((resolve) => {
      socket.once("message", (data: Buffer) => resolve({ message: cbor.decode(data) as Record<string, unknown> }));
      socket.once("close", (code) => resolve({ closed: code }));
      socket.send(frame);
    });
  }

  /** Sends a request and answers its reply, or null where the connection ended first. */
  request(message: Record<string, unknown>): Promise<Record<string, unknown> | null> {
    return this.ask(this.prepare(message));
  }

  /** Writes a request's frame beforehand, for who measures what comes after. */
  prepare(message: Record<string, unknown>): PreparedRequest {
    this.#requests += 1;
    const n = this.#requests;
    return { n, frame: encodeCbor({ ...message, n }) };
  }

  /** Sends a prepared request and answers its reply, or null where the connection ended first. */
  ask({ n, frame }: PreparedRequest): Promise<Record<string, unknown> | null> {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.set(n, resolve);
      socket.send(frame);
    });
  }

  /** Sends one request in several frames of the same number, and answers the one reply. */
  requestInPieces(pieces: readonly Record<string, unknown>[]): Promise<Record<string, unknown> | null> {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return Promise.resolve(null);
    this.#requests += 1;
    const n = this.#requests;
    return new Promise((resolve) => {
      this.#waiting.set(n, resolve);
      for (const piece of pieces) socket.send(cbor.encode({ ...piece, n }));
    });
  }

  /**
   * Sends events and notes what was acknowledged. Answers false where the connection ended first; rejects with `Refused`
   * where the relay does not take them.
   */
  async append(events: readonly RawEvent[]): Promise<boolean> {
    const reply = await this.request(this.batch(events));
    if (reply === null) return false;
    if (reply["type"] !== "appended") throw new Refused("append", reply);
    this.note(reply);
    return true;
  }

  /** Notes the positions that the relay promised in an answer, each of which must be an acknowledgement. */
  note(reply: Readonly<Record<string, unknown>>): void {
    this.promise = (reply["promise"] as Record<string, unknown> | undefined) ?? null;
    for (const answer of reply["answers"] as RawAnswer[]) {
      if (answer.position === undefined) throw new Error(`${answer.answer} is no acknowledgement`);
      const before = this.acknowledged.get(answer.hash);
      if (before !== undefined && before !== answer.position) throw new Error("one event was given two positions");
      this.acknowledged.set(answer.hash, answer.position);
    }
  }

  /** Called with every message from now on, whichever request it answers. The answer stops it. */
  onMessage(listener: (message: Record<string, unknown>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when a connection that had opened has ended, unless this side closed it. The answer stops it. */
  onEnd(listener: () => void): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  /** Sends a message that has no answer. */
  tell(message: Record<string, unknown>): void {
    this.#socket?.send(cbor.encode(message));
  }

  close(): void {
    this.#socket?.terminate();
    this.#ended();
  }

  #ended(): void {
    this.#socket = null;
    for (const answer of this.#waiting.values()) answer(null);
    this.#waiting.clear();
  }
}

/** UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. */
function uuidv7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
