import { applyPackDelta, openPack } from "@sampai/engine";
import { createNodeCrypto } from "@sampai/engine/adapters/node-crypto";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { databaseFile, openForReading } from "../../src/database/connection.ts";
import { demoFolder } from "../import/demo-files.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import { enrolPhone, type WirePhone } from "../wire-phone.ts";

let dir: string;
let csv: string;
let relay: RelayProcess;
let phone: WirePhone;

before(async () => {
  dir = await newFolder();
  csv = await mkdtemp(path.join(tmpdir(), "sampai-csv-"));
  await cp(demoFolder, csv, { recursive: true });
  const imported = await sampai("import", csv, "--dir", dir);
  assert.equal(imported.status, 0, imported.err);
  relay = await serveRelay(dir);
  const { out } = await sampai("enrol", "--dir", dir, "--person", "R012");
  phone = await enrolPhone(relay.url, (JSON.parse(out) as { code: string }).code);
});
after(async () => {
  await relay.end("SIGKILL");
  await rm(dir, { recursive: true });
  await rm(csv, { recursive: true });
});

const get = (number: string, headers: Record<string, string> = {}) =>
  fetch(`${relay.url}/v1/packs/${number}`, { headers: { authorization: `Bearer ${phone.token}`, ...headers } });

test("the pack that an import made without a relay is claimed, served, and signed by the root key", async () => {
  const talk = await phone.connect();
  const claimed = await talk.ask(phone.claimMessage(1, []));
  assert.ok(claimed.type === "claimed" && claimed.pack === 1);
  talk.socket.close();
  const answer = await get("1");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  assert.equal(answer.headers.get("etag"), `"${createHash("sha256").update(bytes).digest("hex")}"`);
  const signature = answer.headers.get("sampai-signature") ?? "";
  const { id, rootKey } = await workspaceOf(dir);
  const opened = await openPack({ bytes, signature }, { workspace: id, rootKey, number: 1 }, createNodeCrypto());
  assert.ok(opened.ok);
  assert.equal(opened.value.pack.goods.length, 356);
});

test("whoever holds the bytes gets 304, also when a tag was weakened on the way", async () => {
  const etag = (await get("1")).headers.get("etag") ?? "";
  assert.equal((await get("1", { "if-none-match": etag })).status, 304);
  assert.equal((await get("1", { "if-none-match": `"other", W/${etag}` })).status, 304);
  assert.equal((await get("1", { "if-none-match": '"other"' })).status, 200);
});

test("the bytes are packed for whoever accepts gzip, and the same inside", async () => {
  const plain = await rawGet("identity");
  const packed = await rawGet("gzip");
  assert.equal(plain.encoding, null);
  assert.equal(packed.encoding, "gzip");
  assert.ok(packed.body.length * 3 < plain.body.length);
  assert.deepEqual(gunzipSync(packed.body), plain.body);
  assert.equal((await rawGet("gzip;q=0")).encoding, null);
});

test("an unknown pack and a stranger are refused with their codes", async () => {
  for (const number of ["2", "0", "1e0", "99999999999999999999"]) {
    const answer = await get(number);
    assert.equal(answer.status, 404);
    assert.equal(((await answer.json()) as { code: string }).code, "pack.unknown");
  }
  const stranger = await fetch(`${relay.url}/v1/packs/1`);
  assert.equal(stranger.status, 401);
});

test("an import into a running relay reaches a connected phone at once, and one that says nothing new does not", async () => {
  const talk = await phone.connect();
  assert.equal((await talk.ask(phone.claimMessage(1, []))).type, "claimed");
  const same = await sampai("import", csv, "--dir", dir, "--json");
  assert.equal(same.status, 0, same.err);
  const goods = await readFile(path.join(csv, "goods.csv"), "utf8");
  await writeFile(path.join(csv, "goods.csv"), goods.replace(",8.69,no", ",8.99,no"));
  const changed = await sampai("import", csv, "--dir", dir, "--json");
  assert.equal(changed.status, 0, changed.err);
  const { pack } = JSON.parse(changed.out) as { pack: { number: number; sha256: string } };
  const announced = await talk.next();
  assert.deepEqual(announced, { type: "pack", number: 2, sha256: pack.sha256 });
  assert.equal((await get("2")).headers.get("etag"), `"${pack.sha256}"`);
  assert.equal((await get("1")).status, 200, "old packs stay");
  talk.socket.close();
});

test("who holds the pack before gets what differs, and it makes the newest one", async () => {
  const [one, two] = [await get("1"), await get("2")];
  const [base, target] = [await bytesOf(one), await bytesOf(two)];
  const asDelta = { "a-im": "fossil-delta", "if-none-match": `"unknown", ${one.headers.get("etag")}` };
  const answer = await get("2", asDelta);
  assert.equal(answer.status, 226);
  const told = ["im", "delta-base", "etag", "sampai-signature", "cache-control"].map((name) =>
    answer.headers.get(name),
  );
  const expected = [one.headers.get("etag"), two.headers.get("etag"), two.headers.get("sampai-signature")];
  assert.deepEqual(told, ["fossil-delta", ...expected, "no-store"]);
  const delta = await bytesOf(answer);
  assert.ok(delta.length * 100 < target.length, `${delta.length} of ${target.length} bytes`);
  const made = applyPackDelta(base, delta);
  assert.ok(made.ok);
  assert.deepEqual(Buffer.from(made.value), Buffer.from(target));
});

test("the whole pack comes where nobody asked for a delta, the base is unknown, or the pack is not the newest", async () => {
  const { etag: two } = Object.fromEntries((await get("2")).headers);
  const { etag: one } = Object.fromEntries((await get("1")).headers);
  assert.equal((await get("2", { "if-none-match": one ?? "" })).status, 200);
  assert.equal((await get("2", { "a-im": "vcdiff, fossil-delta;q=0", "if-none-match": one ?? "" })).status, 200);
  assert.equal((await get("2", { "a-im": "fossil-delta", "if-none-match": `"${"0".repeat(64)}"` })).status, 200);
  assert.equal((await get("1", { "a-im": "fossil-delta", "if-none-match": two ?? "" })).status, 200);
  assert.equal((await get("2", { "a-im": "fossil-delta", "if-none-match": two ?? "" })).status, 304);
});

test("the installed app may ask for deltas and read hash and signature, though its pages have an origin of their own", async () => {
  const origin = "capacitor://localhost";
  const asked = await fetch(`${relay.url}/v1/packs/2`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "a-im,authorization,if-none-match",
    },
  });
  assert.equal(asked.headers.get("access-control-allow-origin"), origin);
  const allowed = (asked.headers.get("access-control-allow-headers") ?? "").split(",");
  for (const name of ["a-im", "authorization", "if-none-match"]) assert.ok(allowed.includes(name), name);
  const exposed = ((await get("2", { origin })).headers.get("access-control-expose-headers") ?? "").split(",");
  assert.deepEqual(exposed.sort(), ["etag", "sampai-signature"]);
});

test("bad rows sent to a running relay come back by name, with status 1 and nothing written", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-csv-"));
  await writeFile(path.join(folder, "holidays.csv"), "date,name\n31.8.2026,Hari Kebangsaan\n");
  const refused = await sampai("import", folder, "--dir", dir);
  assert.equal(refused.status, 1);
  assert.match(refused.err, /Nothing was imported: one problem\.\n {2}holidays\.csv:2 date: "31\.8\.2026" is no date/);
  await rm(folder, { recursive: true });
});

test("the operator's address takes nothing from a device", async () => {
  const answer = await fetch(`${relay.url}/v1/operator/import`, {
    method: "POST",
    headers: { authorization: `Bearer ${phone.token}`, "content-type": "application/json" },
    body: "{}",
  });
  assert.equal(answer.status, 401);
});

test("verify names a pack whose bytes are not those that were signed", async () => {
  const other = await newFolder();
  await cp(path.join(dir, "workspace.json"), path.join(other, "workspace.json"));
  const running = openForReading(dir);
  running.prepare("vacuum into ?").run(databaseFile(other));
  running.close();
  const db = new DatabaseSync(databaseFile(other));
  db.exec("update pack set bytes = substr(bytes, 1, length(bytes) - 1) where number = 1");
  db.close();
  const { status, out } = await sampai("verify", other);
  assert.equal(status, 1);
  assert.match(out, /^packs: pack 1 has bytes that do not match its hash\.$/m);
  await rm(other, { recursive: true });
});

test("the command explains every file and column", async () => {
  const help = await sampai("import", "--help");
  assert.equal(help.status, 0);
  for (const word of ["stores.csv", "coord_uncertainty_m", "price_made_up", "weekday"])
    assert.ok(help.out.includes(word));
});

const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer());

/** Node's fetch unpacks by itself, so the raw bytes are read with its plain client. */
async function rawGet(encoding: string): Promise<{ encoding: string | null; body: Buffer }> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${phone.token}`, "accept-encoding": encoding };
    request(`${relay.url}/v1/packs/1`, { headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ encoding: answer.headers["content-encoding"] ?? null, body: Buffer.concat(parts) }),
      );
    })
      .on("error", reject)
      .end();
  });
}

async function workspaceOf(dir: string): Promise<{ id: string; rootKey: string }> {
  const file = JSON.parse(await readFile(path.join(dir, "workspace.json"), "utf8")) as {
    id: string;
    key: { x: string };
  };
  return { id: file.id, rootKey: Buffer.from(file.key.x, "base64url").toString("hex") };
}
