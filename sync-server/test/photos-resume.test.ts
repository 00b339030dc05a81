import assert from "node:assert/strict";
import { appendFile, mkdir, readdir, rename, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { Upload } from "tus-js-client";
import { databaseFile, openForReading } from "../src/database/connection.ts";
import { startWriter } from "../src/database/writer.ts";
import { createArrival } from "../src/photos/arrival.ts";
import { createDecoder } from "../src/photos/decoder.ts";
import { createFileBlobs } from "../src/photos/file-blobs.ts";
import { photoLimits } from "../src/photos/limits.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { enrolAs, noisyPicture, photoTaker, isSame, tusOf, type TakenPhoto } from "./photos-field.ts";
import { newFolder, serveRelay, type RelayProcess } from "./relay-process.ts";
import type { WirePhone } from "./wire-phone.ts";

let dir: string;
let relay: RelayProcess;
let rep: WirePhone;
let taker: ReturnType<typeof photoTaker>;
let picture: Uint8Array;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  rep = await enrolAs(relay.url, dir, "R001", "rep");
  taker = photoTaker(rep);
  picture = await noisyPicture(420, 320);
});
after(() => relay.end("SIGKILL"));

const tus = () => tusOf(relay.url, rep.token);
const begin = (photo: TakenPhoto) => tus().begin(photo.id, "original", photo.sha256, photo.bytes.length);
const fileOf = (location: string) => path.join(dir, "uploads", path.basename(location));
const blobOf = ({ id }: TakenPhoto) => path.join(dir, "blobs", "photos", id.slice(-2), `${id}.original.jpg`);
const isAtHq = async ({ id }: TakenPhoto) => isSame((await tus().read(`/v1/photos/${id}`)).bytes, picture);
const isThere = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );

const otherThan = (id: string) => id.replace(/^./, (first) => (first === "f" ? "e" : "f"));

/** A new phone takes the run on where the last one was: the wire phone keeps its chain. */
async function take(): Promise<TakenPhoto> {
  const { event, photo } = taker.make(picture);
  const talk = await rep.connect(relay.url);
  assert.equal((await talk.ask(rep.appendMessage(1, [event]))).type, "appended");
  talk.socket.close();
  return photo;
}

async function killed(change: () => Promise<void>): Promise<void> {
  await relay.end("SIGKILL");
  await change();
  relay = await serveRelay(dir);
}

const nothing = () => Promise.resolve();

test("P15 after kill -9 of the relay an upload goes on from the last acknowledged byte", async () => {
  const photo = await take();
  const begun = await begin(photo);
  let offset = 0;
  for (let kill = 0; kill < 3; kill += 1) {
    const piece = picture.subarray(offset, offset + 16_384);
    const answer = await tus().add(begun.location, offset, piece);
    assert.equal(answer.status, 204);
    offset += piece.length;
    await killed(nothing);
    assert.equal((await tus().head(begun.location)).offset, offset);
  }
  assert.equal((await tus().add(begun.location, offset, picture.subarray(offset))).status, 204);
  assert.ok(await isAtHq(photo));
});

test("P15 a kill between the last byte and the link is caught up at the next start", async () => {
  const unlinked = await take();
  const moved = await take();
  const wrong = await take();
  const uploads = new Map<TakenPhoto, string>();
  for (const photo of [unlinked, moved, wrong]) {
    const begun = await begin(photo);
    assert.equal((await tus().add(begun.location, 0, picture.subarray(0, 20_000))).status, 204);
    uploads.set(photo, begun.location);
  }
  const locationOf = (photo: TakenPhoto) => uploads.get(photo) as string;
  await killed(async () => {
    // As the crash leaves them: all bytes there; all bytes moved; all bytes there and one of them wrong.
    const rest = picture.slice(20_000);
    await appendFile(fileOf(locationOf(unlinked)), rest);
    await appendFile(fileOf(locationOf(moved)), rest);
    await mkdir(path.dirname(blobOf(moved)), { recursive: true });
    await rename(fileOf(locationOf(moved)), blobOf(moved));
    rest.set([(rest.at(7) ?? 0) ^ 1], 7);
    await appendFile(fileOf(locationOf(wrong)), rest);
  });
  for (const photo of [unlinked, moved]) {
    assert.ok(await isAtHq(photo));
    // The phone, which had no answer, asks and hears that all is there.
    assert.equal((await tus().head(locationOf(photo))).offset, picture.length);
  }
  assert.equal((await tus().read(`/v1/photos/${wrong.id}`)).status, 404);
  assert.equal((await tus().head(locationOf(wrong))).status, 404);
  assert.equal((await tus().send(wrong, "original")).status, 204);
});

test("P11 a photo that was complete when the disk filled is kept and linked when there is room", async () => {
  const photo = await take();
  const begun = await begin(photo);
  await tus().add(begun.location, 0, picture.subarray(0, 20_000));
  await killed(async () => {
    await appendFile(fileOf(begun.location), picture.subarray(20_000));
    const writer = await startWriter(dir, assert.fail);
    const db = openForReading(dir);
    const whole = createFileBlobs(path.join(dir, "blobs", "photos"));
    const noRoom = () => Promise.reject(Object.assign(new Error("no room"), { code: "ENOSPC" }));
    const uploads = path.join(dir, "uploads");
    const decoder = createDecoder();
    const shared = { db, writer, limits: photoLimits, uploads, decoder };
    const upload = path.basename(begun.location);
    const full = createArrival({ ...shared, blobs: { ...whole, adopt: noRoom } });
    assert.deepEqual(await full.finish(upload), { code: "storage.full" });
    assert.ok(await isThere(fileOf(begun.location)));
    assert.equal(await createArrival({ ...shared, blobs: whole }).finish(upload), null);
    decoder.close();
    db.close();
    await writer.close();
  });
  assert.ok(await isAtHq(photo));
});

test("P12 upkeep throws away what expired and what nobody names, and never a linked photo", async () => {
  const linked = await take();
  assert.equal((await tus().send(linked, "original")).status, 204);
  const fresh = await take();
  const old = await take();
  const begunFresh = await begin(fresh);
  const begunOld = await begin(old);
  await tus().add(begunFresh.location, 0, picture.subarray(0, 100));
  await tus().add(begunOld.location, 0, picture.subarray(0, 100));
  const orphan = path.join(path.dirname(blobOf(linked)), `${otherThan(linked.id)}.original.jpg`);
  const stray = path.join(dir, "uploads", "0".repeat(32));
  // Left by a kill just now: at a start nobody is uploading.
  const young = path.join(dir, "uploads", `${"1".repeat(32)}.json`);
  const longAgo = new Date(Date.now() - 30 * 86_400_000);
  await killed(async () => {
    await writeFile(orphan, "nobody's");
    await writeFile(stray, "nobody's");
    await writeFile(young, "nobody's");
    for (const file of [orphan, stray, blobOf(linked)]) await utimes(file, longAgo, longAgo);
    const db = new DatabaseSync(databaseFile(dir));
    db.prepare("update photo_upload set created = ? where photo = ?").run(longAgo.toISOString(), old.id);
    db.close();
  });
  assert.ok(await isAtHq(linked));
  assert.equal((await tus().head(begunFresh.location)).offset, 100);
  assert.equal((await tus().head(begunOld.location)).status, 404);
  assert.deepEqual(
    [await isThere(orphan), await isThere(stray), await isThere(young), await isThere(fileOf(begunOld.location))],
    [false, false, false, false],
  );
  const unfinished = (await readdir(path.join(dir, "uploads"))).filter((name) => !name.endsWith(".json"));
  assert.deepEqual(unfinished, [path.basename(begunFresh.location)]);
});

test("P18 a stock tus client with a token, cut fifty times at random, finishes with the same bytes", async () => {
  for (const seed of [1]) {
    const photo = await take();
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % below;
    };
    const proxy = await startCuttingProxy(relay.url, (cuts) =>
      cuts < 50 ? 700 + random(Math.floor(picture.length / 60)) : Number.MAX_SAFE_INTEGER,
    );
    const uploaded = new Promise<void>((resolve, reject) => {
      new Upload(Buffer.from(picture), {
        endpoint: `${proxy.url}/files/`,
        headers: { Authorization: `Bearer ${rep.token}` },
        metadata: { photo: photo.id, part: "original", sha256: photo.sha256 },
        retryDelays: Array.from({ length: 60 }, () => 10),
        onSuccess: () => resolve(),
        onError: reject,
      }).start();
    });
    try {
      await uploaded;
    } finally {
      await proxy.close();
    }
    assert.equal(proxy.cuts(), 50);
    assert.ok(await isAtHq(photo));
  }
});
