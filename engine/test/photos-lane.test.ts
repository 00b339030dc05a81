import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkKind } from "../src/index.ts";
import { photoWorld, refusal, settle, until } from "./photos-world.ts";

const at = (term = "1:a") => ({ term });

test("P33 all previews go before all originals, oldest first, and at most three previews or two originals are under way", async () => {
  const world = photoWorld();
  const room = await world.open();
  const ids = [];
  for (let count = 0; count < 4; count += 1) ids.push(await world.takeKnown(room, 40_000));
  let mostOriginals = 0;
  world.relay.onPiece = async (key) => {
    if (key.startsWith("original")) mostOriginals = Math.max(mostOriginals, world.relay.inFlight());
    await settle();
  };
  room.connected(at());
  await until("four photos are at HQ", () => world.relay.verified.size === 8);
  const firsts = [...new Set(world.relay.pieces.map(({ key }) => key))];
  assert.deepEqual(firsts, [...ids.map((id) => `preview/${id}`), ...ids.map((id) => `original/${id}`)]);
  assert.deepEqual([world.relay.mostInFlight, mostOriginals], [3, 2]);
  assert.deepEqual(room.queue(), { photos: 0, bytes: 0, notComing: 0 });
  assert.deepEqual(room.owed(), []);
  assert.deepEqual(
    room.list().map(({ state, reason }) => [state, reason]),
    ids.map(() => ["at-hq", ""]),
  );
  await room.close();
});

test("P33 a photo is not offered before its event is at HQ", async () => {
  const world = photoWorld();
  const room = await world.open();
  const id = await world.take(room, 20_000);
  room.connected(at());
  await settle();
  assert.deepEqual(world.relay.pieces, []);
  assert.equal(room.list()[0]?.waitsFor, "event");
  world.facts.arrive(id);
  await until("it is at HQ", () => world.relay.verified.size === 2);
  await room.close();
});

test("P33 an order captured in the middle of photos goes before the next piece", async () => {
  const world = photoWorld();
  const room = await world.open();
  for (let count = 0; count < 3; count += 1) await world.takeKnown(room, 200_000);
  let atOrder = -1;
  world.relay.onPiece = () => {
    if (world.relay.pieces.length === 10) {
      world.lanes.waiting("facts", true);
      atOrder = world.relay.pieces.length;
    }
    return Promise.resolve();
  };
  room.connected(at());
  await until("the order waits", () => atOrder > 0);
  await settle();
  // The pieces that were under way end; not one more begins while the order waits.
  assert.ok(world.relay.pieces.length - atOrder <= 1, `${world.relay.pieces.length - atOrder} pieces went first`);
  const during = world.relay.pieces.length;
  await settle();
  assert.equal(world.relay.pieces.length, during);
  world.lanes.waiting("facts", false);
  await until("all photos are at HQ", () => world.relay.verified.size === 6);
  await room.close();
});

test("P17 a link or an app that dies in mid upload costs no acknowledged byte", async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const world = photoWorld({ seed });
    let room = await world.open();
    const id = await world.takeKnown(room, 150_000);
    let left = seed % 7;
    let cuts = 0;
    world.relay.answer = (_key, from) => {
      if (from === 0 || left > 0) {
        left -= 1;
        return null;
      }
      left = (seed + cuts) % 5;
      cuts += 1;
      return cuts < 6 ? "hang" : null;
    };
    room.connected(at());
    for (let cut = 1; cut < 6; cut += 1) {
      await until("the piece hangs", () => cuts >= cut || world.relay.verified.size === 2);
      // Odd seeds lose the link, even ones are killed and start again from what is durable.
      if (seed % 2 === 1) room.lost();
      else room = await world.open();
      room.connected(at());
    }
    await until(`seed ${seed} is at HQ`, () => world.relay.verified.size === 2);
    assert.equal(room.list()[0]?.state, "at-hq");
    const original = world.relay.pieces.filter(({ key }) => key === `original/${id}`);
    const answered = original.filter((piece) => piece.answered);
    const sent = answered.reduce((sum, { from, to }) => sum + to - from, 0);
    assert.equal(sent, 150_000, `seed ${seed}: acknowledged bytes went once`);
    await room.close();
  }
});

test("P12 a relay that forgot the unfinished upload gets it anew", async () => {
  const world = photoWorld();
  const room = await world.open();
  await world.takeKnown(room, 390_000);
  world.relay.answer = (key, from) => (key.startsWith("original") && from > 30_000 ? { end: "lost" } : null);
  room.connected(at());
  await until(
    "it was cut",
    () => room.list()[0]?.state === "preview-at-hq" && world.attempts.some((a) => a.outcome === "lost"),
  );
  world.relay.uploads.clear();
  world.relay.answer = () => null;
  await world.advance(60_000);
  await until("it is at HQ", () => world.relay.verified.size === 2);
  await room.close();
});

test("P4 bytes that did not match on the way are sent again from the first", async () => {
  const world = photoWorld();
  const room = await world.open();
  const id = await world.takeKnown(room, 200_000);
  let mismatches = 0;
  world.relay.answer = (key, from) => {
    if (!key.startsWith("original") || from < 100_000 || mismatches > 0) return null;
    mismatches += 1;
    return refusal("photo.hash");
  };
  room.connected(at());
  await until("the mismatch was told", () => world.attempts.some(({ code }) => code === "photo.hash"));
  assert.notEqual(room.list()[0]?.state, "refused");
  await world.advance(2_000);
  await until("it is at HQ", () => world.relay.verified.has(`original/${id}`));
  assert.equal(world.relay.pieces.filter(({ key, from }) => key === `original/${id}` && from === 0).length, 2);
  await room.close();
});

test("P32 a file that vanished or rotted on the phone is lost, HQ is told, and the next photo goes on", async () => {
  const world = photoWorld();
  const room = await world.open();
  const gone = await world.takeKnown(room, 20_000);
  const rotten = await world.takeKnown(room, 20_000);
  const good = await world.takeKnown(room, 20_000);
  for (const name of await world.files.list("photos")) {
    const file = `photos/${name}`;
    if (name.includes("preview")) continue;
    if (name.startsWith(gone)) await world.files.remove(file);
    if (name.startsWith(rotten)) {
      const bytes = (await world.files.read(file))?.slice() as Uint8Array;
      bytes.set([(bytes.at(9) ?? 0) ^ 1], 9);
      await world.files.remove(file);
      await world.files.write(file, bytes);
    }
  }
  room.connected(at());
  await until("the good one is at HQ", () => world.relay.verified.has(`original/${good}`));
  await settle();
  assert.deepEqual(
    room.list().map(({ state }) => state),
    ["lost", "lost", "at-hq"],
  );
  assert.match(room.list()[0]?.reason ?? "", /gone or damaged/);
  assert.deepEqual(
    room.owed().map(({ id, lost, preview }) => [id, lost, preview]),
    [
      [gone, true, true],
      [rotten, true, true],
    ],
  );
  assert.equal(room.queue().photos, 0);
  await room.close();
});

test("P34 a photo that HQ refuses is marked so, in words, and holds nothing up", async () => {
  const world = photoWorld();
  const room = await world.open();
  const refused = await world.takeKnown(room, 20_000);
  const good = await world.takeKnown(room, 20_000);
  world.relay.answer = (key) => (key === `original/${refused}` ? refusal("photo.type") : null);
  room.connected(at());
  await until("the other is at HQ", () => world.relay.verified.has(`original/${good}`));
  await settle();
  assert.equal(room.list()[0]?.state, "refused");
  assert.equal(room.list()[0]?.refusal, "photo.type");
  assert.deepEqual(room.queue(), { photos: 0, bytes: 0, notComing: 1 });
  assert.match(room.list()[0]?.reason ?? "", /HQ refused it: The bytes are not a picture/);
  assert.deepEqual(await world.files.list("photos").then((names) => names.length), 4, "its file stays on the phone");
  await room.close();
});

test("P3 what is at HQ already counts as arrived", async () => {
  const world = photoWorld();
  const room = await world.open();
  const id = await world.takeKnown(room, 20_000);
  world.relay.verified.set(`original/${id}`, "");
  room.connected(at());
  await until("it counts", () => room.list()[0]?.state === "at-hq");
  await room.close();
});

test("P35 after a refused token nothing is offered until the next contact", async () => {
  const world = photoWorld();
  const room = await world.open();
  await world.takeKnown(room, 20_000);
  world.relay.answer = () => refusal("auth.unknown");
  room.connected(at());
  await settle();
  const asked = world.relay.pieces.length;
  await world.advance(600_000);
  assert.equal(world.relay.pieces.length, asked);
  assert.equal(room.list()[0]?.waitsFor, "signal");
  world.relay.answer = () => null;
  room.connected(at());
  await until("it is at HQ", () => room.list()[0]?.state === "at-hq");
  await room.close();
});

test("P35 a full or busy relay, and a used-up quota, are waited for without asking again and again", async () => {
  for (const [code, waitsFor, retryMs] of [
    ["storage.full", "relay", 30_000],
    ["photo.quota", "quota", 3_600_000],
  ] as const) {
    const world = photoWorld();
    const room = await world.open();
    for (let count = 0; count < 3; count += 1) await world.takeKnown(room, 20_000);
    world.relay.answer = () => refusal(code);
    room.connected(at());
    await until("it was refused", () => world.attempts.length >= 1);
    await settle();
    const asked = world.relay.pieces.length;
    assert.ok(asked <= 2, `${asked} were asked`);
    assert.deepEqual(
      room.list().map((photo) => photo.waitsFor),
      [waitsFor, waitsFor, waitsFor],
    );
    await world.advance(retryMs - 1_000);
    assert.equal(world.relay.pieces.length, asked);
    world.relay.answer = () => null;
    await world.advance(2_000);
    await until("all are at HQ", () => world.relay.verified.size === 6);
    await room.close();
  }
});

test("P35 a piece that is never answered is given up after half a minute and the upload goes on", async () => {
  const world = photoWorld();
  const room = await world.open();
  await world.takeKnown(room, 390_000);
  let hung = 0;
  world.relay.answer = (_key, from) => {
    if (from === 0 || hung > 0) return null;
    hung += 1;
    return "hang";
  };
  room.connected(at());
  await until("a piece hangs", () => hung === 1);
  await world.advance(9_000);
  assert.equal(world.doubts(), 0);
  await world.advance(20_000);
  assert.equal(world.doubts(), 1, "the connection was doubted after ten seconds");
  assert.equal(
    world.attempts.some(({ outcome }) => outcome === "lost"),
    false,
  );
  await world.advance(5_000);
  await until("it is at HQ", () => world.relay.verified.size === 2);
  await room.close();
});

test("P33 pieces are small on a slow link and grow with it", async () => {
  const world = photoWorld();
  const room = await world.open();
  await world.takeKnown(room, 390_000);
  let pieceMs = 2_000;
  world.relay.onPiece = async () => {
    await world.advance(pieceMs);
  };
  const sizes = () =>
    world.relay.pieces.filter(({ key }) => key.startsWith("original")).map(({ from, to }) => to - from);
  room.connected(at());
  await until("two pieces went", () => sizes().length === 2);
  pieceMs = 20;
  await until("a fast piece went", () => sizes().some((bytes) => bytes > 32_768));
  pieceMs = 4_000;
  await until("it is at HQ", () => world.relay.verified.size === 2);
  // The last upload on the link takes the place of two where that is soon through.
  assert.deepEqual([sizes()[0], sizes().at(-2)], [4_608, 4_608]);
  await room.close();
});

test("P33 another contact begins with small pieces, as it may be another network, and with half-sized ones after less than half a minute", async () => {
  for (const [goneMs, least, most] of [
    [31_000, 2 * 4_608, 2 * 4_608],
    [5_000, 16_384, 40_000],
  ] as const) {
    const world = photoWorld();
    const room = await world.open();
    await world.takeKnown(room, 390_000);
    world.relay.onPiece = () => world.advance(250);
    room.connected(at());
    await until("a fast piece went", () => world.relay.pieces.some(({ from, to }) => to - from > 32_768));
    room.lost();
    await world.advance(goneMs);
    const before = world.relay.pieces.length;
    room.connected(at());
    await until("it goes on", () => world.relay.pieces.length > before);
    const next = world.relay.pieces[before];
    const bytes = (next?.to ?? 0) - (next?.from ?? 0);
    assert.ok(bytes >= least && bytes <= most, `${bytes} bytes after ${goneMs} ms`);
    await room.close();
  }
});

test("P36 originals wait for Wi-Fi where HQ says so, previews go on mobile data, and roaming sends nothing", async () => {
  const world = photoWorld({ photo: { originalsOnWifiOnly: true } });
  const room = await world.open();
  await world.takeKnown(room, 50_000);
  world.network("roaming");
  room.connected(at());
  await settle();
  assert.deepEqual(world.relay.pieces, []);
  assert.equal(room.list()[0]?.waitsFor, "roaming");
  world.network("mobile");
  await until("the preview is at HQ", () => world.relay.verified.size === 1);
  await settle();
  assert.deepEqual(
    room.list().map(({ state, waitsFor, reason }) => [state, waitsFor, reason]),
    [["preview-at-hq", "wifi", "The full photo waits for Wi-Fi."]],
  );
  world.network("wifi");
  await until("the original is at HQ", () => world.relay.verified.size === 2);
  const bytesOn = (network: NetworkKind) => world.meter().laneBytes(network, "photos");
  assert.equal(bytesOn("roaming"), 0);
  assert.ok(bytesOn("mobile") > 6_000 && bytesOn("wifi") > 50_000);
  const { sentBytes, receivedBytes } = world.meter().total();
  assert.equal(bytesOn("mobile") + bytesOn("wifi"), sentBytes + receivedBytes, "every counted byte has its network");
  await room.close();
});

test("P36 the day's mobile budget is never passed, leaves room for previews, and starts anew tomorrow", async () => {
  const world = photoWorld({ photo: { mobileBytesPerDay: 120_000 } });
  let room = await world.open();
  for (let count = 0; count < 3; count += 1) await world.takeKnown(room, 60_000);
  world.network("mobile");
  room.connected(at());
  await until("the budget is used", () => room.list().some(({ waitsFor }) => waitsFor === "budget"));
  await settle();
  const before = room.budget().usedBytes;
  assert.ok(before <= 120_000 * 0.9, `${before} bytes`);
  // A restart does not forget what was spent.
  await room.close();
  room = await world.open();
  assert.deepEqual(room.budget(), { usedBytes: before, allowedBytes: 120_000 }, "as the sync centre shows it");
  const late = await world.takeKnown(room, 60_000);
  room.connected(at());
  await until("the new preview is at HQ", () => world.relay.verified.has(`preview/${late}`));
  assert.equal(world.relay.verified.has(`original/${late}`), false);
  assert.ok(room.budget().usedBytes <= 120_000);
  await world.advance(24 * 3_600_000);
  room.lost();
  room.connected(at());
  await until("tomorrow's budget is used", () => world.relay.verified.size >= 6);
  assert.equal(world.meter().today().day, "2026-11-24");
  const tomorrows = room.budget().usedBytes;
  assert.ok(tomorrows > 0 && tomorrows <= 120_000, `${tomorrows} bytes`);
  await room.close();
});

test("P39 facts and documents use up no photo's budget, and a fact enters while the photos' budget is used up", async () => {
  const world = photoWorld({ photo: { mobileBytesPerDay: 120_000 } });
  const room = await world.open();
  world.network("mobile");
  world.meter().sent("facts", 10_000_000);
  world.meter().received("documents", 10_000_000);
  assert.deepEqual(room.budget(), { usedBytes: 0, allowedBytes: 120_000 });
  for (let count = 0; count < 3; count += 1) await world.takeKnown(room, 60_000);
  room.connected(at());
  await until("the budget is used", () => room.list().some(({ waitsFor }) => waitsFor === "budget"));
  await settle();
  assert.ok(room.budget().usedBytes > 60_000, "the photos had the whole budget for themselves");
  world.lanes.waiting("facts", true);
  const release = await world.lanes.enter("facts");
  world.meter().sent("facts", 1_000);
  release();
  assert.equal(world.meter().laneBytes("mobile", "facts"), 10_001_000);
  await room.close();
});

test("P38 a relay that came back as another term is offered what this phone still has", async () => {
  const world = photoWorld();
  const room = await world.open();
  const kept = await world.takeKnown(room, 30_000);
  room.connected(at("1:a"));
  await until("it is at HQ", () => world.relay.verified.size === 2);
  room.lost();
  world.relay.verified.clear();
  room.connected(at("2:b"));
  await until("it is at HQ again", () => world.relay.verified.size === 2);
  room.lost();
  // Another new term, whose relay lost nothing: it says so, and nothing but one piece is spent on each part.
  const pieces = world.relay.pieces.length;
  room.connected(at("3:c"));
  await until("it was offered", () => room.list()[0]?.state === "at-hq" && world.relay.pieces.length > pieces);
  await settle();
  assert.equal(world.relay.pieces.length - pieces, 2);
  assert.equal(room.list()[0]?.id, kept);
  await room.close();
});

test("P38 an original is kept for a week after HQ verified it, its preview and entry for a month", async () => {
  const world = photoWorld();
  let room = await world.open();
  const id = await world.takeKnown(room, 30_000);
  room.connected(at());
  await until("it is at HQ", () => world.relay.verified.size === 2);
  await room.close();
  const day = 86_400_000;
  const names = () => world.files.list("photos");
  await world.advance(6 * day);
  room = await world.open();
  assert.equal((await names()).length, 2);
  await room.close();
  await world.advance(2 * day);
  room = await world.open();
  assert.equal((await names()).length, 1);
  assert.notEqual(await room.preview(id), undefined);
  await room.close();
  await world.advance(30 * day);
  room = await world.open();
  assert.deepEqual([await names(), room.list()], [[], []]);
  await room.close();
});
