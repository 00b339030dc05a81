import * as A from "@automerge/automerge/slim";
import type { Clock } from "../src/core/clock.ts";
import {
  createDocuments,
  createDocumentSync,
  createMemoryStorage,
  documentId,
  readChunks,
  schemaRules,
  type DocumentStore,
  type DocumentSync,
  type Identity,
  type Lanes,
  type Random,
  type ReadingRules,
  type Replica,
  type Result,
  type Storage,
  type Wire,
  type WireFailure,
} from "../src/index.ts";
import {
  decodeFrame,
  encodeFrame,
  limits,
  phoneMessageSchema,
  relayMessageSchema,
  type FeedCursor,
  type PhoneMessage,
  type RefusalCode,
  type RelayMessage,
  type Role,
} from "../src/wire/index.ts";

/** A small generator for seeded runs (G. Marsaglia, Xorshift RNGs, 2003). */
export function seeded(seed: number) {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(items: readonly T[]): T => {
    const at = below(items.length);
    for (const item of items.slice(at)) return item;
    throw new Error("nothing to pick from");
  };
  const random: Random = { bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
  return { next, below, pick, random };
}
export type Seeded = ReturnType<typeof seeded>;

/** Time that only moves when the world lets it: timers run in order of their time. */
export function manualClock(startMs = 1_763_000_000_000) {
  let nowMs = startMs;
  let timers: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    wallMs: () => nowMs,
    tickMs: () => nowMs - startMs,
    boot: "boot",
    after: (delayMs, run) => {
      const timer = { at: nowMs + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  return {
    clock,
    advance: (ms: number) => {
      nowMs += ms;
    },
    /** Runs the next timer; false where there is none within `withinMs`. */
    runNext: (withinMs: number): boolean => {
      const [next] = timers.sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > nowMs + withinMs) return false;
      timers = timers.filter((other) => other !== next);
      nowMs = Math.max(nowMs, next.at);
      next.run();
      return true;
    },
  };
}

const openLanes: Lanes = {
  waiting: () => undefined,
  enter: () => Promise.resolve(() => undefined),
  mustYield: () => false,
};

interface StoredDocument {
  readonly kind: string;
  readonly key: string;
  replica: Replica;
}
export interface Judged {
  readonly device: string;
  readonly kind: string;
  readonly key: string;
  readonly change: A.DecodedChange;
}

/** The relay's document side in memory, behind the phone's `Wire`: every message crosses as a real frame. */
export class RelayDouble {
  readonly documents = new Map<string, StoredDocument>();
  readonly stream: { doc: string; hash: string; bytes: Uint8Array }[] = [];
  /** Devices whose edits are still taken after a document left their territory. */
  readonly patientWith = new Set<string>();
  /** Which keys a device may see; a new function is a new scope version. */
  readonly scopes = new Map<string, { version: number; sees: (key: string) => boolean }>();
  judge: (judged: Judged) => RefusalCode | null = () => null;
  term = "1-a";
  /** Frames received, by type. */
  readonly received = new Map<string, number>();
  readonly connections = new Set<ConnectionDouble>();
  private readonly held = new Map<string, Set<string>>();

  scope(device: string) {
    return this.scopes.get(device) ?? { version: 0, sees: () => true };
  }

  rescope(device: string, sees: (key: string) => boolean) {
    this.scopes.set(device, { version: this.scope(device).version + 1, sees });
  }

  holds(device: string): Set<string> {
    const held = this.held.get(device) ?? new Set();
    this.held.set(device, held);
    return held;
  }

  cursor(device: string): FeedCursor {
    return { term: this.term, position: this.stream.length, scope: this.scope(device).version };
  }

  store(doc: string, kind: string, key: string, bytes: Uint8Array, from: ConnectionDouble | null): number {
    const known = this.documents.get(doc) ?? { kind, key, replica: A.init() };
    known.replica = A.applyChanges(known.replica, [bytes])[0];
    this.documents.set(doc, known);
    const { hash } = A.decodeChange(bytes);
    const position = this.stream.push({ doc, hash, bytes }) - 1;
    for (const other of this.connections) {
      if (other === from || !other.live || !this.scope(other.device).sees(key)) continue;
      this.holds(other.device).add(doc);
      const item = { doc, kind, key, position, bytes: bytes.slice(), snapshot: false };
      const cursor = this.cursor(other.device);
      other.send({ type: "changes", n: null, items: [item], leave: [], cursor, more: false });
    }
    return position;
  }

  handle(connection: ConnectionDouble, message: PhoneMessage) {
    this.received.set(message.type, (this.received.get(message.type) ?? 0) + 1);
    if (message.type === "push") this.push(connection, message);
    else if (message.type === "feed") this.feed(connection, message.n, message.cursor);
    else if (message.type === "heads") this.heads(connection, message.n, message.doc, message.heads);
  }

  private push(connection: ConnectionDouble, message: Extract<PhoneMessage, { type: "push" }>) {
    const { n, doc, kind, key } = message;
    const pieces = connection.pieces.get(n) ?? [];
    pieces.push(message.piece);
    connection.pieces.set(n, pieces);
    if (message.more) return;
    if (!this.scope(connection.device).sees(key) && !this.patientWith.has(connection.device)) {
      connection.send({ type: "refused", n, code: "doc.scope" });
      return;
    }
    const { chunks } = readChunks(new Uint8Array(Buffer.concat(pieces)));
    const stored: number[] = [];
    const missing = new Set<string>();
    const refused: { hash: string; code: RefusalCode }[] = [];
    for (const { bytes, hash } of chunks) {
      const change = A.decodeChange(bytes);
      const replica = this.documents.get(doc)?.replica ?? A.init();
      const known = this.stream.findIndex((row) => row.doc === doc && row.hash === hash);
      if (known >= 0) {
        stored.push(known);
        continue;
      }
      if (change.deps.some((dep) => refused.some((other) => other.hash === dep))) {
        refused.push({ hash: change.hash, code: "change.dependencies" });
        continue;
      }
      const lacking = change.deps.filter((dep) => !A.hasHeads(replica, [dep]));
      const code = this.judge({ device: connection.device, kind, key, change });
      if (code !== null) refused.push({ hash: change.hash, code });
      else if (lacking.length > 0) for (const dep of lacking) missing.add(dep);
      else stored.push(this.store(doc, kind, key, bytes, connection));
    }
    this.holds(connection.device).add(doc);
    const heads = A.getHeads(this.documents.get(doc)?.replica ?? A.init());
    connection.send({ type: "pushed", n, doc, stored, heads, missing: [...missing], refused });
  }

  private feed(connection: ConnectionDouble, n: number, cursor: FeedCursor | null) {
    const { device } = connection;
    const scope = this.scope(device);
    const held = this.holds(device);
    if (cursor === null) held.clear();
    const leave = [...held].filter((doc) => !scope.sees((this.documents.get(doc) as StoredDocument).key));
    for (const doc of leave) held.delete(doc);
    const items = [];
    for (const [doc, { kind, key, replica }] of this.documents) {
      if (!scope.sees(key) || held.has(doc)) continue;
      items.push({ doc, kind, key, position: this.stream.length, bytes: A.save(replica).slice(), snapshot: true });
      held.add(doc);
    }
    const entered = new Set(items.map((item) => item.doc));
    for (const [position, { doc, bytes }] of this.stream.entries()) {
      if (cursor === null || position < cursor.position || entered.has(doc) || !held.has(doc)) continue;
      const { kind, key } = this.documents.get(doc) as StoredDocument;
      items.push({ doc, kind, key, position, bytes: bytes.slice(), snapshot: false });
    }
    // In two frames, so that the catch-up has an end that is not its beginning.
    const half = Math.ceil(items.length / 2);
    const start = cursor ?? { term: this.term, position: 0, scope: 0 };
    connection.send({ type: "changes", n, items: items.slice(0, half), leave, cursor: start, more: true });
    connection.send({
      type: "changes",
      n,
      items: items.slice(half),
      leave: [],
      cursor: this.cursor(device),
      more: false,
    });
    connection.live = true;
  }

  private heads(connection: ConnectionDouble, n: number, doc: string, heads: readonly string[]) {
    const known = this.documents.get(doc);
    if (known === undefined) {
      connection.send({ type: "refused", n, code: "doc.unknown" });
      return;
    }
    if (!this.scope(connection.device).sees(known.key)) {
      connection.send({ type: "refused", n, code: "doc.scope" });
      return;
    }
    const shared = heads.filter((head) => A.hasHeads(known.replica, [head]));
    const missing = heads.filter((head) => !shared.includes(head));
    const snapshot = shared.length === 0;
    const bytes = (snapshot ? A.save(known.replica) : A.saveSince(known.replica, shared)).slice();
    connection.send({ type: "repair", n, doc, bytes, snapshot, heads: A.getHeads(known.replica), missing });
  }
}

/** One connection: two queues of frames that the world empties in an order it chooses. */
export class ConnectionDouble {
  readonly pieces = new Map<number, Uint8Array[]>();
  readonly toRelay: Uint8Array[] = [];
  readonly toPhone: Uint8Array[] = [];
  live = false;
  private readonly pending = new Map<number, (answer: Result<never, WireFailure>) => void>();
  private readonly answers = new Map<number, Promise<Result<never, WireFailure>>>();
  private n = 0;
  readonly device: string;
  private readonly relay: RelayDouble;
  private readonly sync: DocumentSync;
  private open = true;

  constructor(relay: RelayDouble, device: string, sync: DocumentSync) {
    this.relay = relay;
    this.device = device;
    this.sync = sync;
  }

  start() {
    this.relay.connections.add(this);
    const claimed = { type: "claimed", n: 0, term: this.relay.term, at: "2026-11-23T00:00:00.000Z" } as const;
    this.sync.connected(this.wire(), { ...claimed, tips: [], wants: [], holes: [], give: [], head: 0, pack: null });
  }

  send(message: RelayMessage) {
    if (this.open) this.toPhone.push(encodeFrame(message).slice());
  }

  /** Ends the connection: what is on its way in either direction is lost. */
  cut() {
    if (!this.open) return;
    this.open = false;
    this.relay.connections.delete(this);
    this.toRelay.length = 0;
    this.toPhone.length = 0;
    for (const answer of this.pending.values()) answer({ ok: false, error: { code: "lost" } });
    this.pending.clear();
    this.sync.lost();
  }

  /** Delivers the oldest frame of one direction. */
  deliver(direction: "up" | "down") {
    const frame = (direction === "up" ? this.toRelay : this.toPhone).shift();
    if (frame === undefined || !this.open) return;
    if (direction === "up") {
      const read = decodeFrame(phoneMessageSchema, frame);
      if (!read.ok) throw new Error(`the phone sent ${JSON.stringify(read.error)}`);
      this.relay.handle(this, read.value);
      return;
    }
    const read = decodeFrame(relayMessageSchema, frame);
    if (!read.ok) throw new Error(`the double sent ${JSON.stringify(read.error)}`);
    const { value } = read;
    const n = "n" in value ? value.n : null;
    const answer = n === null ? undefined : this.pending.get(n);
    if (n === null || answer === undefined) {
      this.sync.receive(value);
      return;
    }
    this.pending.delete(n);
    if (value.type === "refused") answer({ ok: false, error: { code: value.code } });
    else answer({ ok: true, value: value as never });
  }

  private wire(): Wire {
    const post = (message: PhoneMessage) => {
      if (message.type === "push" && message.piece.length > limits.pieceBytes) throw new Error("a piece is too large");
      if (this.open) this.toRelay.push(encodeFrame(message).slice());
    };
    const expect = (n: number): Promise<Result<never, WireFailure>> => {
      const known = this.answers.get(n);
      if (known !== undefined) return known;
      const answer = new Promise<Result<never, WireFailure>>((resolve) => {
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
        const numbered: PhoneMessage = { ...message, n };
        post(numbered);
        return expect(n);
      },
      send: post,
      giveUp: () => this.cut(),
    };
  }
}

export interface PhoneOptions {
  readonly role?: Role;
  readonly storage?: Storage;
  readonly rules?: () => ReadingRules;
}

/** A device: its storage outlives a crash, everything else is new after it. */
export class PhoneDouble {
  readonly storage: Storage;
  readonly identity: Identity;
  readonly rules: () => ReadingRules;
  documents!: DocumentStore;
  sync!: DocumentSync;
  connection: ConnectionDouble | null = null;
  private readonly world: World;

  constructor(world: World, name: string, { role = "rep", storage, rules }: PhoneOptions) {
    this.world = world;
    this.storage = storage ?? createMemoryStorage();
    this.rules = rules ?? (() => schemaRules);
    this.identity = {
      workspace: "demo",
      device: `device-${name}`,
      rep: name,
      name,
      role,
      zone: "Asia/Kuala_Lumpur",
      relay: "http://relay",
      token: "",
      secretKey: "",
      publicKey: "",
      rootKey: "",
      certificate: "",
      certificateSignature: "",
    };
  }

  async boot(): Promise<this> {
    const { clock } = this.world.time;
    const { random } = this.world.seed;
    const { identity, storage, rules } = this;
    this.documents = await createDocuments({ identity, clock, random, storage, anchor: () => null, rules });
    this.sync = createDocumentSync({
      documents: this.documents,
      lanes: openLanes,
      clock,
      attempted: () => undefined,
    });
    return this;
  }

  /** The process dies and starts again over what was durable. */
  async crash(): Promise<void> {
    this.disconnect();
    await this.boot();
  }

  connect() {
    if (this.connection !== null) return;
    this.connection = new ConnectionDouble(this.world.relay, this.identity.device, this.sync);
    this.connection.start();
  }

  disconnect() {
    this.connection?.cut();
    this.connection = null;
  }

  id(kind: "store" | "visit" | "plan", key: string): string {
    return documentId(this.identity.workspace, kind, key);
  }
}

/** Phones and a relay in one process, run from one seed. */
export class World {
  readonly relay = new RelayDouble();
  readonly time = manualClock();
  readonly seed: Seeded;
  readonly phones: PhoneDouble[] = [];

  constructor(seed: number) {
    this.seed = seeded(seed);
  }

  async phone(name: string, options: PhoneOptions = {}): Promise<PhoneDouble> {
    const phone = await new PhoneDouble(this, name, options).boot();
    this.phones.push(phone);
    return phone;
  }

  /** Delivers up to `frames` frames, each from a connection and direction that the seed picks. */
  async deliver(frames: number): Promise<number> {
    let delivered = 0;
    for (; delivered < frames; delivered += 1) {
      await turn();
      const ready = [...this.relay.connections].flatMap((connection) => [
        ...(connection.toRelay.length > 0 ? [{ connection, direction: "up" as const }] : []),
        ...(connection.toPhone.length > 0 ? [{ connection, direction: "down" as const }] : []),
      ]);
      if (ready.length === 0) break;
      const { connection, direction } = this.seed.pick(ready);
      connection.deliver(direction);
    }
    return delivered;
  }

  /** Runs until nothing is on its way and no timer within `withinMs` is due. */
  async settle(withinMs = 60_000): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const delivered = await this.deliver(10_000);
      const ticked = this.time.runNext(withinMs);
      await turn();
      quiet = delivered > 0 || ticked ? 0 : quiet + 1;
    }
  }
}

/** Lets everything that is ready run: promises, and what they started. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
