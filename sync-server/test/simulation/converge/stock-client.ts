import * as A from "@automerge/automerge/slim";
import { authorMessage } from "@sampai/engine";
import type { Role } from "@sampai/engine/wire";
import type { Seeded } from "../../../../engine/test/seeded.ts";
import type { SimulatedTime } from "../simulated-time.ts";
import type { StockConnection } from "./stock-connection.ts";

type Root = Record<string, unknown>;

interface OpenDocument {
  replica: A.Doc<Root>;
  sync: A.SyncState;
}

/** A change that this client made, and whether the relay has to take it. */
export interface StockEdit {
  readonly doc: string;
  readonly hash: string;
  readonly allowed: boolean;
}

export interface StockSetting {
  readonly device: string;
  readonly person: string;
  readonly role: Role;
  readonly territories: readonly string[];
  /** Whether its changes say who made them. */
  readonly named: boolean;
  /** Whether it sometimes writes what nobody of its role may. */
  readonly hostile: boolean;
}

/**
 * A client of automerge-repo: replicas in memory, and Automerge's own sync protocol as that package's `DocSynchronizer`
 * speaks it. It knows no rules, no roles and no refusals.
 */
export class SimulatedStockClient {
  readonly setting: StockSetting;
  /** What the office gives this person now. */
  territories: readonly string[];
  readonly documents = new Map<string, OpenDocument>();
  readonly edits: StockEdit[] = [];
  connection: StockConnection | null = null;
  private readonly time: SimulatedTime;
  private readonly random: Seeded;
  private joined = false;

  constructor(setting: StockSetting, time: SimulatedTime, random: Seeded) {
    this.setting = setting;
    this.territories = setting.territories;
    this.time = time;
    this.random = random;
  }

  get viewer() {
    const { device, person, role } = this.setting;
    return { device, person, role, territories: this.territories };
  }

  /** Documents that have come: only those can be edited. */
  here(): string[] {
    return [...this.documents].filter(([, { replica }]) => A.getHeads(replica).length > 0).map(([doc]) => doc);
  }

  /** Asks for a document, now and after each reconnect. */
  open(doc: string): void {
    if (this.documents.has(doc)) return;
    const actor = Buffer.from(this.random.bytes(16)).toString("hex");
    this.documents.set(doc, { replica: A.init<Root>({ actor }), sync: A.initSyncState() });
    this.speak(doc);
  }

  /** Writes something into a document that has come. */
  edit(doc: string): void {
    const opened = this.documents.get(doc);
    if (opened === undefined) return;
    const { named, hostile, person, role, device } = this.setting;
    const forbidden = hostile && this.random.chance(0.4);
    const message = named ? authorMessage({ by: person, role, device }) : "";
    const time = named ? this.time.nowMs : Math.floor(this.time.nowMs / 1_000);
    const before = opened.replica;
    opened.replica = A.change(before, { time, message }, (root) => (forbidden ? misdo : this.write)(root));
    const change = A.getLastLocalChange(opened.replica);
    if (change === undefined || opened.replica === before) return;
    const { hash, ops } = A.decodeChange(change);
    // Who writes the value that stands already in a disagreement writes only that the other one goes: no way to write.
    const deletes = ops.some(({ action }) => action === "del");
    // Behind what was refused nothing of this client's is taken any more: it never lets go of it.
    const refusedBefore = this.edits.some((edit) => edit.doc === doc && !edit.allowed);
    this.edits.push({ doc, hash, allowed: !forbidden && !deletes && !refusedBefore });
    this.speak(doc);
  }

  connected(connection: StockConnection): void {
    this.connection = connection;
    this.joined = false;
    for (const opened of this.documents.values()) opened.sync = A.decodeSyncState(A.encodeSyncState(opened.sync));
    connection.say({ type: "join", senderId: this.setting.device, supportedProtocolVersions: ["1"], peerMetadata: {} });
  }

  disconnect(): void {
    this.connection?.cut();
    this.connection = null;
  }

  receive(message: Readonly<Record<string, unknown>>): void {
    const { type, documentId, data } = message;
    if (type === "peer") {
      this.joined = true;
      for (const doc of this.documents.keys()) this.speak(doc);
    }
    const opened = this.documents.get(String(documentId));
    if (type !== "sync" || opened === undefined || !(data instanceof Uint8Array)) return;
    [opened.replica, opened.sync] = A.receiveSyncMessage(opened.replica, opened.sync, data);
    this.speak(String(documentId));
  }

  private speak(doc: string): void {
    const opened = this.documents.get(doc);
    if (opened === undefined || !this.joined || this.connection?.isOpen !== true) return;
    const [sync, data] = A.generateSyncMessage(opened.replica, opened.sync);
    opened.sync = sync;
    if (data === null) return;
    const type = A.getHeads(opened.replica).length === 0 ? "request" : "sync";
    this.connection.say({ type, senderId: this.setting.device, targetId: "relay", documentId: doc, data });
  }

  private readonly write = (root: Root): void => {
    const word = `stock${this.random.below(1_000_000)}`;
    switch (this.random.below(4)) {
      case 0:
        root["town"] = new A.ImmutableString(word);
        return;
      case 1:
        root["address"] = new A.ImmutableString(word);
        return;
      case 2:
        (root["facings"] as Record<string, number>)[this.random.pick(["1047", "2210"])] = 1 + this.random.below(6);
        return;
      default:
        A.splice(root, ["notes"], 0, 0, `${word} `);
    }
  };
}

function misdo(root: Root): void {
  root["creditLimitSen"] = 1;
}
