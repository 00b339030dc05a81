import * as A from "@automerge/automerge/slim";
import {
  authorMessage,
  concatBytes,
  documentId,
  originOf,
  readChunks,
  viewOf,
  schemaRules,
  type DocumentKind,
  type FieldEdit,
  type Replica,
} from "@sampai/engine";
import {
  decodeFrame,
  relayMessageSchema,
  unfoldBundle,
  type Bundle,
  type FeedCursor,
  type RelayMessage,
  type Role,
} from "@sampai/engine/wire";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDataFolder, type DataFolder } from "../../src/data-folder.ts";
import { actorPrefix } from "../../src/documents/gate.ts";
import { documentsOf, type DocumentFolder, type DocumentHost } from "../../src/documents/host.ts";
import { part } from "../../src/documents/index.ts";
import type { Caller, Connection, RelayPart } from "../../src/relay/part.ts";

/** The documents part on a real data folder with its real writer; only the sockets are left out. */
export interface Desk {
  readonly dir: string;
  readonly folder: DataFolder;
  readonly context: DocumentFolder;
  readonly host: DocumentHost;
  readonly part: RelayPart;
  /** What the relay logged as an error. */
  readonly errors: unknown[];
  /** Milliseconds that the relay's clock is ahead of the machine's. */
  ahead: number;
  phone(person: string, role: Role, territories: readonly string[]): Promise<DeskPhone>;
  /** Ends and opens the folder again, as a restart does. */
  reopen(): Promise<Desk>;
  close(): Promise<void>;
}

export async function openDesk(dir?: string, openBytes?: number): Promise<Desk> {
  const at = dir ?? (await mkdtemp(path.join(tmpdir(), "sampai-documents-")));
  const folder = await openDataFolder({ dir: at, zone: "Asia/Kuala_Lumpur", databaseBytes: null }, assert.fail, true);
  const errors: unknown[] = [];
  const clock = { ...createSystemClock(), wallMs: () => Date.now() + desk.ahead };
  const log = { error: (...error: unknown[]) => void errors.push(error) };
  const { workspace, writer, db, term } = folder;
  const context: DocumentFolder = {
    workspace,
    writer,
    db,
    term,
    clock,
    log,
    ...(openBytes === undefined ? {} : { openBytes }),
  };
  const host = documentsOf(context);
  const close = async () => {
    await host.stop();
    await folder.close();
  };
  const desk: Desk = {
    dir: at,
    folder,
    context,
    host,
    part: part(context),
    errors,
    ahead: 0,
    close,
    phone: async (person, role, territories) => {
      const device = randomBytes(8).toString("hex");
      await enrol(folder, device, person, role, territories);
      return new DeskPhone(desk, { device, person, name: person, role, publicKey: "", territories });
    },
    reopen: async () => {
      await close();
      return openDesk(at, openBytes);
    },
  };
  return desk;
}

async function enrol(folder: DataFolder, device: string, person: string, role: Role, territories: readonly string[]) {
  const hash = randomBytes(8).toString("hex");
  const expires = new Date(Date.now() + 60_000).toISOString();
  await folder.writer.run("putPeople", { people: [{ code: person, name: `${person} Bin Test`, role, territories }] });
  await folder.writer.run("putEnrolment", { codeHash: hash, person, expires });
  const enrolled = await folder.writer.run("enrol", {
    codeHash: hash,
    device,
    publicKey: hash,
    tokenHash: hash,
    platform: "test",
    certificate: "",
    certificateSignature: "",
    person,
    role,
  });
  assert.ok(enrolled);
}

export type Pushed = Extract<RelayMessage, { type: "pushed" }>;

/** A device that keeps its documents in memory and believes nothing but what the relay sends. */
export class DeskPhone {
  readonly caller: Caller;
  readonly actor: string;
  /** Documents that are here, by id. */
  readonly replicas = new Map<string, Replica>();
  /** Every message since the last look. */
  inbox: RelayMessage[] = [];
  cursor: FeedCursor | null = null;
  buffered = 0;
  /** Answers each `changes` with `fed`, as a phone does when they are durable. */
  feeds = true;
  /** Asks for bundles, and how many came. */
  unfolds = false;
  bundles = 0;
  closes: number[] = [];
  connection: Connection | null = null;
  private readonly desk: Desk;
  private n = 0;
  private waiting: (() => void)[] = [];

  constructor(desk: Desk, caller: Caller) {
    this.desk = desk;
    this.caller = caller;
    this.actor = actorPrefix(caller.device) + randomBytes(8).toString("hex");
  }

  /** The same device at another desk: after a restart, or with other territories. */
  moved(desk: Desk, territories = this.caller.territories): DeskPhone {
    const phone = new DeskPhone(desk, { ...this.caller, territories });
    for (const [doc, replica] of this.replicas) phone.replicas.set(doc, replica);
    phone.cursor = this.cursor;
    phone.unfolds = this.unfolds;
    return phone;
  }

  connect(): void {
    const take = (frame: RelayMessage) => this.take(frame);
    const connection: Connection = {
      id: 0,
      caller: this.caller,
      send: take,
      sendFrame: (frame) => {
        const message = decodeFrame(relayMessageSchema, frame);
        assert.ok(message.ok);
        take(message.value);
      },
      refuse: (n, refusal) => take({ type: "refused", n, ...refusal }),
      bufferedBytes: () => this.buffered,
      close: (code) => void this.closes.push(code),
    };
    this.connection = connection;
    this.desk.part.opened?.(connection);
  }

  disconnect(): void {
    if (this.connection !== null) this.desk.part.closed?.(this.connection);
    this.connection = null;
  }

  /** Connects, asks for what is missing, and waits until all of it is here. */
  async online(): Promise<void> {
    this.connect();
    await this.send({ type: "feed", n: this.next(), cursor: this.cursor, bundles: this.unfolds });
    await this.until((message) => message.type === "changes" && !message.more);
  }

  next(): number {
    this.n += 1;
    return this.n;
  }

  async send(message: Parameters<RelayPart["receive"]>[1]): Promise<void> {
    assert.ok(this.connection);
    await this.desk.part.receive(this.connection, message);
  }

  id(kind: DocumentKind, key: string): string {
    return documentId(this.desk.folder.workspace.id, kind, key);
  }

  replica(kind: DocumentKind, key: string): Replica {
    const replica = this.replicas.get(this.id(kind, key));
    assert.ok(replica, `${kind} ${key} is on ${this.caller.person}'s phone`);
    return replica;
  }

  view(kind: DocumentKind, key: string) {
    return viewOf(this.replica(kind, key), kind, schemaRules);
  }

  /** Begins a document here and answers its constant changes. */
  begin(kind: DocumentKind, key: string): Uint8Array {
    const origin = originOf(this.desk.folder.workspace.id, kind, key);
    const replica = A.applyChanges(A.init<Record<string, unknown>>({ actor: this.actor }), [...origin.changes])[0];
    this.replicas.set(origin.doc, replica);
    return concatBytes(...origin.changes);
  }

  /** Edits a document here and answers the change's bytes. `as` forges the message. */
  edit(kind: DocumentKind, key: string, edits: readonly FieldEdit[], as: { message?: string; time?: number } = {}) {
    const { person, role, device } = this.caller;
    const message = as.message ?? authorMessage({ by: person, role, device });
    return this.change(kind, key, { message, time: as.time ?? Date.now() }, (root) => {
      for (const edit of edits) write(root, edit);
    });
  }

  change(
    kind: DocumentKind,
    key: string,
    options: { message: string; time: number },
    run: (root: Record<string, unknown>) => void,
  ): Uint8Array {
    const doc = this.id(kind, key);
    const mine = A.clone(this.replica(kind, key), { actor: this.actor });
    const changed = A.change(mine, options, run);
    this.replicas.set(doc, changed);
    const bytes = A.getLastLocalChange(changed);
    assert.ok(bytes);
    return bytes;
  }

  /** What this device would write, as a message to forge from. */
  author(change: object = {}): { message: string; time: number } {
    const { person, role, device } = this.caller;
    return { message: JSON.stringify({ by: person, role, device, ...change }), time: Date.now() };
  }

  /** Pushes bytes and answers what the relay says: `pushed`, or the refusal's code. */
  async push(kind: string, key: string, bytes: Uint8Array, doc = this.id(kind as DocumentKind, key)) {
    const n = this.next();
    const size = 8_000;
    for (let at = 0; at === 0 || at < bytes.length; at += size) {
      const piece = bytes.slice(at, at + size);
      await this.send({ type: "push", n, doc, kind, key, piece, more: at + size < bytes.length });
    }
    return this.answer(n);
  }

  async answer(n: number): Promise<RelayMessage> {
    return this.until((message) => "n" in message && message.n === n);
  }

  async pushed(kind: DocumentKind, key: string, bytes: Uint8Array): Promise<Pushed> {
    const answer = await this.push(kind, key, bytes);
    assert.equal(answer.type, "pushed", JSON.stringify([answer, this.desk.errors]));
    return answer;
  }

  /** The code of the refusal of a whole push, or of the one change in it. */
  async refusalOf(kind: string, key: string, bytes: Uint8Array, doc?: string): Promise<string> {
    const answer = await this.push(kind, key, bytes, doc);
    if (answer.type === "refused") return answer.code;
    assert.equal(answer.type, "pushed");
    const { stored, refused } = answer;
    assert.equal(stored.length, 0, "nothing of it is stored");
    assert.equal(refused.length, 1, JSON.stringify(answer));
    return refused[0]?.code ?? "";
  }

  /** Waits for a message, seen or yet to come, and takes it out of the inbox. */
  async until(wanted: (message: RelayMessage) => boolean): Promise<RelayMessage> {
    for (;;) {
      const index = this.inbox.findIndex(wanted);
      if (index >= 0) return this.inbox.splice(index, 1)[0] as RelayMessage;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Waits until something holds here, looking after each message. */
  async when(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private take(message: RelayMessage): void {
    if (message.type === "changes") this.takeChanges(message);
    this.inbox.push(message);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private unfolded(bundle: Bundle | undefined) {
    if (bundle === undefined) return [];
    this.bundles += 1;
    const unfolded = unfoldBundle(bundle);
    assert.ok(unfolded.ok);
    return unfolded.value.map(({ kind, key, bytes }) => {
      return { doc: this.id(kind as DocumentKind, key), bytes, snapshot: true };
    });
  }

  private takeChanges(message: Extract<RelayMessage, { type: "changes" }>): void {
    for (const doc of message.leave) this.replicas.delete(doc);
    for (const { doc, bytes, snapshot } of [...this.unfolded(message.bundle), ...message.items]) {
      const { chunks, damage } = readChunks(bytes);
      assert.equal(damage, null);
      const before = this.replicas.get(doc);
      if (snapshot) {
        const loaded = A.load<Record<string, unknown>>(bytes, { actor: this.actor });
        this.replicas.set(doc, before === undefined ? loaded : A.merge(A.clone(before), loaded));
      } else {
        assert.ok(before, "a change comes behind its document");
        const changes = chunks.map((chunk) => chunk.bytes);
        this.replicas.set(doc, A.applyChanges(before, changes)[0]);
        assert.deepEqual(A.getMissingDeps(this.replicas.get(doc) as Replica, []), []);
      }
    }
    this.cursor = message.cursor;
    if (this.feeds) void this.send({ type: "fed", cursor: message.cursor });
  }
}

function write(root: Record<string, unknown>, edit: FieldEdit): void {
  if ("insert" in edit) A.splice(root, [edit.field], edit.at, edit.remove, edit.insert);
  else if ("increment" in edit) (root[edit.field] as A.Counter).increment(edit.increment);
  else {
    const value = typeof edit.set === "string" ? new A.ImmutableString(edit.set) : edit.set;
    if (edit.key === undefined) root[edit.field] = value;
    else (root[edit.field] as Record<string, unknown>)[edit.key] = value;
  }
}
