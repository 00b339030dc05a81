import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import * as A from "@automerge/automerge/slim";
import { encodeCbor, type RawWriter } from "./raw-writer.ts";
import { pick, seededRandom } from "./seeded-random.ts";

// Store masters as this room builds them from the published rules: the id from workspace, kind and key, the constant
// changes of `vectors/genesis.json`, the birth that writes kind and key, then edits with their author in the message.

await A.initializeWasm(readFileSync(createRequire(import.meta.url).resolve("@automerge/automerge/automerge.wasm")));

const genesis = JSON.parse(readFileSync(path.join(import.meta.dirname, "../vectors/genesis.json"), "utf8")) as Record<
  string,
  readonly string[]
>;
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A value for a field, or for a row of a column; `insert` puts words at the beginning of a text. */
export type Write =
  | { readonly field: string; readonly row?: string; readonly value: string | number | boolean }
  | { readonly field: string; readonly insert: string };

type Op = Record<string, unknown>;

/** Who writes: as the relay enrolled the device. */
export type StoreAuthor = Pick<RawWriter, "device" | "workspace" | "rep"> & { readonly role: string };

/** The id of a document: base58check of the first 16 bytes of SHA-256(CBOR [workspace, kind, key]). */
export function storeDocumentId(workspace: string, key: string): string {
  const payload = sha256(encodeCbor([workspace, "store", key])).subarray(0, 16);
  const bytes = Buffer.concat([payload, sha256(sha256(payload)).subarray(0, 4)]);
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = `${ALPHABET.charAt(Number(number % 58n))}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(Math.max(0, zeros)) + text;
}

/** One store master and its history, written change by change without a replica: load is made faster than it is taken. */
export class StoreMaster {
  readonly doc: string;
  readonly key: string;
  /** Everything so far, each change behind what it depends on. */
  readonly changes: Uint8Array[] = [];
  readonly #actor: string;
  readonly #message: string;
  readonly #random: () => number;
  /** Object of each column and text. */
  readonly #objects = new Map<string, string>();
  /** The operation that stands at `object/key`. */
  readonly #standing = new Map<string, string>();
  #head = "";
  #nextOp = 1;
  #seq = 1;
  #edits = 0;

  private constructor(doc: string, key: string, actor: string, message: string, random: () => number) {
    this.doc = doc;
    this.key = key;
    this.#actor = actor;
    this.#message = message;
    this.#random = random;
  }

  /** A new document with nothing in it but its kind and key. */
  static begin(key: string, author: StoreAuthor, random = seededRandom(1)): StoreMaster {
    const doc = storeDocumentId(author.workspace, key);
    const message = JSON.stringify({ by: author.rep, role: author.role, device: author.device });
    const master = new StoreMaster(doc, key, actorOf(author.device), message, random);
    for (const hex of genesis["store"] as readonly string[]) master.#take(Uint8Array.from(Buffer.from(hex, "hex")));
    master.#compose(fixedActor(`sampai.birth.${doc}`), 1, 0, "", [
      { field: "kind", value: "store" },
      { field: "key", value: key },
    ]);
    return master;
  }

  /** About 40 fields and 60 SKUs, then `edits` small edits; the same number gives the same values. */
  static make(number: number, edits: number, author: StoreAuthor, territory: string): StoreMaster {
    const master = StoreMaster.#numbered(number, author);
    master.write(contentOf(number, territory, author.rep, master.#random));
    for (let edit = 0; edit < edits; edit += 1) master.edit();
    return master;
  }

  /** A store of which only name and territory are known. */
  static sketch(number: number, author: StoreAuthor, territory: string): StoreMaster {
    const master = StoreMaster.#numbered(number, author);
    const named = { field: "name", value: words(master.#random, 3) };
    master.write([named, { field: "territory", value: territory }]);
    return master;
  }

  static #numbered(number: number, author: StoreAuthor): StoreMaster {
    const key = `S-${String(number).padStart(5, "0")}`;
    return StoreMaster.begin(key, author, seededRandom(number + 1));
  }

  /** The same document so far in the hands of another author; without a role, one who does not say who he is. */
  fork(author: StoreAuthor | null): StoreMaster {
    const message = author === null ? "" : JSON.stringify({ by: author.rep, role: author.role, device: author.device });
    const actor = author === null ? randomBytes(16).toString("hex") : actorOf(author.device);
    const fork = new StoreMaster(this.doc, this.key, actor, message, this.#random);
    fork.changes.push(...this.changes);
    for (const [field, object] of this.#objects) fork.#objects.set(field, object);
    for (const [at, operation] of this.#standing) fork.#standing.set(at, operation);
    fork.#head = this.#head;
    fork.#nextOp = this.#nextOp;
    return fork;
  }

  get head(): string {
    return this.#head;
  }

  /** The whole document as Automerge saves it. */
  save(): Uint8Array {
    const replica = A.load(Buffer.concat(this.changes));
    const bytes = A.save(replica);
    A.free(replica);
    return bytes;
  }

  /** One small edit, as people in the field make them. Answers its change. */
  edit(): Uint8Array {
    this.#edits += 1;
    return this.write([anEdit(this.#edits, this.#rows("listed"), this.#random)]);
  }

  /** Writes anything as one change, also what a relay must refuse. */
  write(writes: readonly Write[], atMs = Date.now(), message = this.#message): Uint8Array {
    const change = this.#compose(this.#actor, this.#seq, atMs, message, writes);
    this.#seq += 1;
    return change;
  }

  /** The number that this author's next change has. */
  get nextSeq(): number {
    return this.#seq;
  }

  /** A change as it would come next, but for what is forged in it. This document does not take it. */
  forge(ops: readonly Op[], forged: Readonly<Record<string, unknown>> = {}): Uint8Array {
    const [actor, seq, startOp, time] = [this.#actor, this.#seq, this.#nextOp, Date.now()];
    const next = { actor, seq, startOp, time, message: this.#message, deps: [this.#head], ops };
    return A.encodeChange({ ...next, ...forged } as never);
  }

  #rows(column: string): string[] {
    const prefix = `${this.#objects.get(column)}/`;
    return [...this.#standing.keys()].filter((at) => at.startsWith(prefix)).map((at) => at.slice(prefix.length));
  }

  #compose(actor: string, seq: number, time: number, message: string, writes: readonly Write[]): Uint8Array {
    const ops: Op[] = [];
    const next = () => `${this.#nextOp + ops.length}@${actor}`;
    for (const write of writes) {
      const { field } = write;
      if ("insert" in write) {
        let elemId = "_head";
        for (const value of write.insert) {
          const made = next();
          ops.push({ action: "set", obj: this.#objects.get(field), elemId, insert: true, value, pred: [] });
          elemId = made;
        }
        continue;
      }
      const { row, value } = write;
      const obj = row === undefined ? "_root" : this.#objects.get(field);
      const at = `${obj}/${row ?? field}`;
      const before = this.#standing.get(at);
      const datatype = typeof value === "number" ? { datatype: Number.isInteger(value) ? "int" : "float64" } : {};
      this.#standing.set(at, next());
      ops.push({
        action: "set",
        obj,
        key: row ?? field,
        value,
        ...datatype,
        pred: before === undefined ? [] : [before],
      });
    }
    const deps = [this.#head];
    const bytes = A.encodeChange({ actor, seq, startOp: this.#nextOp, time, message, deps, ops } as never);
    this.#append(bytes, A.decodeChange(bytes).hash, ops.length);
    return bytes;
  }

  /** Takes a change as it is, with the objects that it makes. */
  #take(bytes: Uint8Array): void {
    const { ops, actor, startOp, hash } = A.decodeChange(bytes);
    for (const [index, op] of ops.entries()) {
      const id = `${startOp + index}@${actor}`;
      if (op.action.startsWith("make")) this.#objects.set(op.key, id);
      else this.#standing.set(`_root/${op.key}`, id);
    }
    this.#append(bytes, hash, ops.length);
  }

  #append(bytes: Uint8Array, hash: string, operations: number): void {
    this.changes.push(bytes);
    this.#head = hash;
    this.#nextOp += operations;
  }
}

const PIECE_BYTES = 8_192;

/** Pushes changes of one document and answers `pushed`, or null where the connection ended. */
export function pushChanges(
  writer: RawWriter,
  { doc, key, kind = "store" }: { readonly doc: string; readonly key: string; readonly kind?: string },
  changes: readonly Uint8Array[],
): Promise<Record<string, unknown> | null> {
  const bytes = Buffer.concat(changes);
  const pieces: Record<string, unknown>[] = [];
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    const piece = bytes.subarray(from, from + PIECE_BYTES);
    pieces.push({ type: "push", doc, kind, key, piece, more: from + PIECE_BYTES < bytes.length });
  }
  return writer.requestInPieces(pieces);
}

/** An actor of a device: 16 digits made from its id, then random ones. */
export const actorOf = (device: string): string =>
  sha256(device).toString("hex").slice(0, 16) + randomBytes(8).toString("hex");

const fixedActor = (purpose: string): string => sha256(purpose).subarray(0, 16).toString("hex");
const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

const WORDS = (
  "market corner fresh family super mini express village city north south green golden river hill sun star daily " +
  "best prime royal union central park lake"
).split(" ");
const GOODS = Array.from({ length: 200 }, (_, index) => `SKU${String(100_000 + index * 37)}`);
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const words = (random: () => number, count: number) =>
  Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");
const digits = (random: () => number, count: number) =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
const upTo = (random: () => number, most: number) => Math.floor(random() * most);

function contentOf(number: number, territory: string, rep: string, random: () => number): Write[] {
  const fields: Record<string, string | number | boolean> = {
    name: words(random, 3),
    hqCode: `C${digits(random, 7)}`,
    temporaryKey: `EXT${digits(random, 8)}`,
    registrationNumber: digits(random, 12),
    channel: ["grocery", "kiosk", "pharmacy", "horeca", "wholesale"][upTo(random, 5)] as string,
    status: "active",
    address: `${digits(random, 2)} Jalan ${words(random, 2)}`,
    town: words(random, 1),
    postcode: digits(random, 5),
    state: "Selangor",
    coordinatesSource: "gps",
    territory,
    ownerRep: rep,
    knownSince: "2019-04-12",
    lastVisitAt: "2026-10-01T09:12:00.000Z",
    lat: 3.0001 + random(),
    lon: 101.0001 + random(),
    uncertaintyMeters: 12,
    creditLimitSen: 500_000,
    creditTermsDays: 30,
    creditHold: false,
  };
  const writes: Write[] = Object.entries(fields).map(([field, value]) => ({ field, value }));
  const put = (field: string, row: string, value: string | number | boolean) => writes.push({ field, row, value });
  for (const tag of ["promo-ok", "key-account", "cooler"]) put("tags", tag, true);
  for (const contact of ["1", "2", "3"]) {
    put("contactName", contact, words(random, 2));
    put("contactPhone", contact, `+60${digits(random, 9)}`);
    put("contactRole", contact, ["owner", "buyer", "manager"][upTo(random, 3)] as string);
  }
  for (const day of DAYS) put("openingHours", day, "08:00-20:00");
  for (const question of ["floor-area", "checkouts", "coolers", "parking", "access"]) {
    put("answers", `outlet/${question}`, `${digits(random, 2)} ${words(random, 3)}`);
  }
  // An assortment comes as a list by SKU.
  const skus = pick(seededRandom(number + 7), GOODS, 60).sort();
  const columns: Record<string, () => boolean | number> = {
    listed: () => true,
    priceSen: () => 99 + upTo(random, 900),
    facings: () => 1 + upTo(random, 6),
    parStock: () => 6 * (1 + upTo(random, 8)),
  };
  for (const [column, value] of Object.entries(columns)) for (const sku of skus) put(column, sku, value());
  writes.push({ field: "notes", insert: words(random, 20) });
  return writes;
}

function anEdit(count: number, skus: readonly string[], random: () => number): Write {
  const chance = random();
  const row = skus[upTo(random, skus.length)] as string;
  const day = String(1 + (count % 28)).padStart(2, "0");
  if (chance < 0.4) return { field: "facings", row, value: 1 + upTo(random, 6) };
  if (chance < 0.6) return { field: "lastVisitAt", value: `2026-11-${day}T0${upTo(random, 10)}:12:00.000Z` };
  if (chance < 0.75) {
    return { field: "contactPhone", row: String(1 + upTo(random, 3)), value: `+60${digits(random, 9)}` };
  }
  if (chance < 0.85) return { field: "creditLimitSen", value: upTo(random, 500_000) };
  if (chance < 0.95) return { field: "notes", insert: `${count} ${words(random, 6)}. ` };
  return { field: "priceSen", row, value: 99 + upTo(random, 900) };
}
