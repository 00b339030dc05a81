import assert from "node:assert/strict";
import { test } from "node:test";
import exifr from "exifr";
import sharp from "sharp";
import { createNodePictures } from "../adapters/node-pictures.ts";
import { sha256Hex } from "../src/core/index.ts";
import {
  differenceHash,
  dhashGreys,
  eventKinds,
  hashDistance,
  type EventBody,
  type Files,
  type Pack,
} from "../src/index.ts";
import { withKeptExif } from "../src/photos/exif.ts";
import { limits } from "../src/wire/index.ts";
import { photoWorld } from "./photos-world.ts";
import { seeded } from "./seeded.ts";

/** A shelf of sorts: blocks of colour with grain, different for each seed. */
async function shelf(seed: number, width = 2_400, height = 1_800): Promise<Uint8Array> {
  const random = seeded(seed);
  const blocks = { width: 24, height: 18, channels: 3 as const };
  const small = await sharp(random.bytes(24 * 18 * 3), { raw: blocks })
    .resize(width, height, { kernel: "cubic" })
    .jpeg({ quality: 92 })
    .withExif({ IFD0: { Artist: "somebody" }, IFD3: { GPSLatitude: "3/1 8/1 0/1" } })
    .toBuffer();
  return new Uint8Array(small);
}

const input = (bytes: Uint8Array) => ({
  bytes,
  visit: "01936a5e-0000-7000-8000-000000000002",
  store: "S-0481",
  purpose: "shelf" as const,
});

test("P30 a photo is shrunk by policy, loses its private metadata, and its event says what the file is", async () => {
  const world = photoWorld({ pictures: createNodePictures() });
  const room = await world.open();
  const captured = await room.capture(input(await shelf(1)));
  assert.ok(captured.ok);
  const body = eventKinds.photoCaptured.body.parse(captured.value.envelope.body);
  assert.deepEqual([body.width, body.height], [1_600, 1_200]);
  const names = await world.files.list("photos");
  const original = await world.files.read(`photos/${names.find((name) => !name.includes("preview"))}`);
  const preview = await room.preview(captured.value.envelope.id);
  assert.ok(original !== undefined && preview !== undefined);
  assert.deepEqual([body.bytes, body.sha256], [original.length, sha256Hex(original)]);
  assert.equal((await sharp(original).metadata()).exif, undefined);
  const small = await sharp(preview).metadata();
  assert.equal(Math.max(small.width, small.height), 320);
  assert.ok(preview.length <= 15_360, `${preview.length} bytes`);
  assert.match(body.dhash ?? "", /^[0-9a-f]{64}$/);
  await room.close();
});

test("P41 of a camera's EXIF only what policy lists stays, and place, owner and serial number never do", async () => {
  const taken = await sharp(await shelf(7))
    .jpeg()
    .withExif({
      IFD0: { Make: "LG", Model: "Field Phone 7", Artist: "somebody", HostComputer: "somebody's phone" },
      IFD2: {
        DateTimeOriginal: "2026:11:24 09:31:07",
        OffsetTimeOriginal: "+08:00",
        BodySerialNumber: "SN-1",
        CameraOwnerName: "somebody",
        ImageUniqueID: "0123",
      },
      IFD3: { GPSLatitude: "3/1 8/1 0/1" },
    })
    .toBuffer();
  const camera = { Make: "LG", Model: "Field Phone 7" };
  const capturedAt = { DateTimeOriginal: "2026:11:24 09:31:07", OffsetTimeOriginal: "+08:00" };
  const cases: [Pack["photo"]["keepExif"], object | undefined][] = [
    [undefined, undefined],
    [[], undefined],
    [["camera"], camera],
    [["capturedAt"], capturedAt],
    [["capturedAt", "camera"], { ...camera, ...capturedAt }],
  ];
  for (const [keepExif, kept] of cases) {
    const world = photoWorld({
      pictures: createNodePictures(),
      photo: keepExif === undefined ? {} : { keepExif },
    });
    const room = await world.open();
    const captured = await room.capture(input(new Uint8Array(taken)));
    assert.ok(captured.ok);
    const body = eventKinds.photoCaptured.body.parse(captured.value.envelope.body);
    const names = await world.files.list("photos");
    const original = await world.files.read(`photos/${names.find((name) => !name.includes("preview"))}`);
    const preview = await room.preview(captured.value.envelope.id);
    assert.ok(original !== undefined && preview !== undefined);
    assert.equal(body.sha256, sha256Hex(original), "the hash is of what is sent");
    assert.deepEqual(await exifr.parse(original, { reviveValues: false }), kept);
    assert.equal(Buffer.from(original).includes("somebody"), false);
    const seen = await sharp(original).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([seen.info.width, seen.info.height], [body.width, body.height]);
    assert.equal((await sharp(preview).metadata()).exif, undefined);
    await room.close();
  }
});

test("P41 EXIF that is none, cut or not what its tags should hold is dropped, and the photo is taken all the same", async () => {
  const jpeg = (await createNodePictures().encode(await shelf(8, 400, 300), { longestEdge: 400, quality: 80 }))?.bytes;
  assert.ok(jpeg !== undefined);
  const wrong = await sharp(jpeg)
    .withExif({ IFD0: { Make: "x".repeat(200) }, IFD2: { DateTimeOriginal: "yesterday" } })
    .toBuffer();
  const taken = [jpeg, new Uint8Array(wrong), new Uint8Array(wrong.subarray(0, 60)), new Uint8Array(3)];
  for (const picture of taken) assert.deepEqual(await withKeptExif(picture, jpeg, ["capturedAt", "camera"]), jpeg);
});

test("P30 a picture lying on its side by its EXIF is turned upright", async () => {
  const lying = await sharp(await shelf(2, 400, 200))
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const turned = await createNodePictures().encode(new Uint8Array(lying), { longestEdge: 1_600, quality: 80 });
  assert.deepEqual([turned?.width, turned?.height], [200, 400]);
});

test("P30 a picture too large for its target gives up quality, then size, and even noise gets a small preview", async () => {
  const noise = await sharp(seeded(3).bytes(900 * 700 * 3), { raw: { width: 900, height: 700, channels: 3 } })
    .png()
    .toBuffer();
  const world = photoWorld({ pictures: createNodePictures(), photo: { targetBytes: 60_000 } });
  const room = await world.open();
  const captured = await room.capture(input(new Uint8Array(noise)));
  assert.ok(captured.ok);
  const { bytes, width } = captured.value.envelope.body as EventBody<"photoCaptured">;
  assert.ok(bytes <= 60_000 && width < 900, `${bytes} bytes, ${width} wide`);
  const preview = await room.preview(captured.value.envelope.id);
  assert.ok(preview !== undefined && preview.length <= limits.previewBytes);
  await room.close();
});

test("P30 what is no picture, or empty, is told so and leaves nothing behind", async () => {
  const world = photoWorld({ pictures: createNodePictures() });
  const room = await world.open();
  const page = new TextEncoder().encode("<html>not a picture</html>");
  const half = (await shelf(4, 300, 200)).slice(0, 2_000);
  const codes = [];
  for (const bytes of [page, half, new Uint8Array()]) {
    const captured = await room.capture(input(bytes));
    codes.push(captured.ok ? "captured" : captured.error.code);
  }
  assert.deepEqual(codes, ["photo.type", "photo.type", "photo.size"]);
  assert.deepEqual([await world.files.list("photos"), room.list(), world.facts.list()], [[], [], []]);
  await room.close();
});

test("P32 a kill between file and commit leaves no photo, and the next start clears the files", async () => {
  const world = photoWorld();
  const room = await world.open();
  const kept = await world.take(room, 9_000);
  world.facts.failing = true;
  const captured = await room.capture(input(seeded(5).bytes(9_000)));
  assert.equal(captured.ok ? "" : captured.error.code, "capture.storage");
  assert.equal(
    (await world.files.list("photos")).length,
    4,
    "nobody knows whether the commit is there: the files stay",
  );
  const again = await world.open();
  const names = await world.files.list("photos");
  assert.equal(names.length, 2);
  assert.ok(names.every((name) => name.startsWith(kept)));
  assert.deepEqual(
    again.list().map(({ id }) => id),
    [kept],
  );
  await again.close();
});

test("P30 a full phone says so before anything was promised", async () => {
  const world = photoWorld();
  const full: Files = { ...world.files, write: () => Promise.reject(new Error("no space")) };
  const room = await world.open({ files: full });
  const captured = await room.capture(input(seeded(6).bytes(9_000)));
  assert.equal(captured.ok ? "" : captured.error.code, "capture.storage");
  assert.deepEqual([world.facts.list(), room.list()], [[], []]);
  await room.close();
});

test("P30 a photo captured twice under one id is one photo, and another picture under it is refused", async () => {
  const world = photoWorld();
  const room = await world.open();
  const id = "01936a5e-0000-7000-8000-00000000000a";
  const bytes = seeded(7).bytes(9_000);
  const first = await room.capture({ ...input(bytes), id });
  const second = await room.capture({ ...input(bytes), id });
  const other = await room.capture({ ...input(seeded(8).bytes(9_000)), id });
  assert.ok(first.ok && second.ok);
  assert.equal(other.ok ? "" : other.error.code, "capture.id");
  assert.equal(room.list().length, 1);
  await room.close();
});

test("P31 the difference hash sets a bit where a pixel is brighter than its left neighbour, highest bit first", () => {
  const greys = new Uint8Array(dhashGreys.width * dhashGreys.height);
  assert.equal(differenceHash(greys), "0".repeat(64));
  for (let row = 0; row < 16; row += 1)
    for (let column = 0; column < 17; column += 1) greys[row * 17 + column] = column;
  assert.equal(differenceHash(greys), "f".repeat(64));
  greys.fill(0);
  greys[1] = 9;
  assert.equal(differenceHash(greys), `8${"0".repeat(63)}`);
  greys.fill(0);
  greys[15 * 17 + 16] = 9;
  assert.equal(differenceHash(greys), `${"0".repeat(63)}1`);
  assert.equal(hashDistance("f".repeat(64), "0".repeat(64)), 256);
  assert.equal(hashDistance(`8${"0".repeat(63)}`, `${"0".repeat(63)}1`), 2);
});

test("P31 the same scene encoded coarser or smaller stays within 24 bits, other scenes are far", async () => {
  const pictures = createNodePictures();
  const hashOf = async (bytes: Uint8Array) => {
    const greys = await pictures.grey(bytes, dhashGreys.width, dhashGreys.height);
    assert.ok(greys !== null);
    return differenceHash(greys);
  };
  const scenes = await Promise.all([11, 12, 13, 14].map((seed) => shelf(seed, 800, 600)));
  const hashes = await Promise.all(scenes.map(hashOf));
  for (const [index, scene] of scenes.entries()) {
    const hash = await hashOf(scene);
    const coarse = await pictures.encode(scene, { longestEdge: 400, quality: 30 });
    assert.ok(coarse !== null);
    const distance = hashDistance(hash, await hashOf(coarse.bytes));
    assert.ok(distance <= 24, `scene ${index}: ${distance} bits`);
    for (const other of hashes.slice(index + 1)) assert.ok(hashDistance(hash, other) > 60);
  }
});
