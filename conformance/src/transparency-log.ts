import { createHash, createPublicKey, verify } from "node:crypto";

// An independent reader of receipts, written from the published texts alone: RFC 9162 section 2.1.3.2 (inclusion),
// C2SP signed-note, tlog-checkpoint and tlog-proof. It shares no line with the relay that it checks.

export interface CheckedReceipt {
  readonly origin: string;
  readonly size: bigint;
  readonly index: bigint;
  readonly record: string;
}

const digest = (...parts: readonly (Uint8Array | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Throws an error that says what is wrong; answers what the receipt proves. `key` is `name+hash+base64`. */
export function checkReceipt(receipt: string, key: string): CheckedReceipt {
  const lines = receipt.split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Error("not a tlog-proof");
  const extra = take(lines, "extra ");
  const numeral = take(lines, "index ");
  if (!/^(0|[1-9]\d*)$/.test(numeral)) throw new Error("the index is no decimal number");
  const index = BigInt(numeral);
  const path: Buffer[] = [];
  for (let line = lines.shift(); line !== undefined && line !== ""; line = lines.shift())
    path.push(Buffer.from(line, "base64"));
  const { origin, size, root } = checkNote(lines.join("\n"), key);
  const record = Buffer.from(extra, "base64");
  const found = climb(digest("\0", record), index, size, path);
  if (!found.equals(root)) throw new Error("the path does not lead to the signed root");
  return { origin, size, index, record: record.toString() };
}

/** Throws unless the second signed checkpoint goes on from the first by this proof (RFC 9162 section 2.1.4.2). */
export function checkConsistency(first: string, second: string, proof: readonly Uint8Array[], key: string): void {
  const [a, b] = [checkNote(first, key), checkNote(second, key)];
  if (a.size === b.size) {
    if (proof.length > 0 || !a.root.equals(b.root)) throw new Error("one size, two roots");
    return;
  }
  if (a.size === 0n || a.size > b.size) throw new Error("the second is not longer than the first");
  const path = (a.size & (a.size - 1n)) === 0n ? [a.root, ...proof] : [...proof];
  let fn = a.size - 1n;
  let sn = b.size - 1n;
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let fr: Uint8Array = path[0] ?? new Uint8Array();
  let sr: Uint8Array = fr;
  for (const c of path.slice(1)) {
    if (sn === 0n) throw new Error("the proof is too long");
    if ((fn & 1n) === 1n || fn === sn) {
      fr = digest("\u0001", c, fr);
      sr = digest("\u0001", c, sr);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      sr = digest("\u0001", sr, c);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw new Error("the proof is too short");
  if (!a.root.equals(fr)) throw new Error("the proof does not begin at the first root");
  if (!b.root.equals(sr)) throw new Error("the proof does not lead to the second root");
}

function take(lines: string[], prefix: string): string {
  const line = lines.shift() ?? "";
  if (!line.startsWith(prefix)) throw new Error(`a line "${prefix.trim()}" is missing`);
  return line.slice(prefix.length);
}

function climb(leaf: Buffer, index: bigint, size: bigint, path: readonly Buffer[]): Buffer {
  if (index >= size) throw new Error("the index lies outside the tree");
  let fn = index;
  let sn = size - 1n;
  let r = leaf;
  for (const p of path) {
    if (sn === 0n) throw new Error("the path is too long");
    if ((fn & 1n) === 1n || fn === sn) {
      r = digest("\u0001", p, r);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      r = digest("\u0001", r, p);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw new Error("the path is too short");
  return r;
}

function checkNote(note: string, key: string): { origin: string; size: bigint; root: Buffer } {
  const [name, keyId, encoded] = splitKey(key);
  const raw = Buffer.from(encoded, "base64");
  if (raw[0] !== 1 || raw.length !== 33) throw new Error("not an Ed25519 verifier key");
  const id = digest(name, "\n", raw).subarray(0, 4);
  if (id.toString("hex") !== keyId) throw new Error("the verifier key's hash is wrong");
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const block = note.slice(at + 2);
  if (!/^(\u2014 \S+ \S+\n)+$/.test(block)) throw new Error("what follows the text is not signatures alone");
  const signature = block
    .split("\n")
    .map((line) => /^\u2014 (\S+) (\S+)$/.exec(line))
    .find(
      (match) =>
        match?.[1] === name &&
        Buffer.from(match[2] ?? "", "base64")
          .subarray(0, 4)
          .equals(id),
    );
  if (signature === undefined || signature === null) throw new Error("the checkpoint is not signed by this key");
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw.subarray(1)]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  const bytes = Buffer.from(signature[2] ?? "", "base64").subarray(4);
  if (!verify(null, Buffer.from(text), publicKey, bytes)) throw new Error("the checkpoint's signature does not verify");
  const [origin, size, root] = text.split("\n");
  if (origin === undefined || !/^\d+$/.test(size ?? "") || root === undefined) throw new Error("not a checkpoint");
  return { origin, size: BigInt(size ?? ""), root: Buffer.from(root, "base64") };
}

function splitKey(key: string): [string, string, string] {
  const first = key.indexOf("+");
  const second = key.indexOf("+", first + 1);
  if (first < 1 || second < 0) throw new Error("not a verifier key");
  return [key.slice(0, first), key.slice(first + 1, second), key.slice(second + 1).trim()];
}
