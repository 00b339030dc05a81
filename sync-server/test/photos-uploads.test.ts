import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { withOffice } from "../src/commands/expiry-office.ts";
import { databaseFile, openForReading } from "../src/database/connection.ts";
import { expireBefore } from "../src/privacy/expiry.ts";
import { isSame, enrolAs, noisyPicture, photoTaker, tusOf } from "./photos-field.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "./relay-process.ts";
import type { WirePhone } from "./wire-phone.ts";

let dir: string;
let relay: RelayProcess;
let rep: WirePhone;
let otherRep: WirePhone;
let hq: WirePhone;
let picture: Uint8Array;
let smallPicture: Uint8Array;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  rep = await enrolAs(relay.url, dir, "R001", "rep");
  otherRep = await enrolAs(relay.url, dir, "R002", "rep");
  hq = await enrolAs(relay.url, dir, "H001", "hq");
  picture = await noisyPicture(240, 180);
  smallPicture = await noisyPicture(96, 72, 50);
});
after(() => relay.end("SIGKILL"));

const phoneOf = (phone: WirePhone) => ({ tus: tusOf(relay.url, phone.token), taker: photoTaker(phone) });

function trailOf(item: string): { topic: string; detail: Record<string, unknown> }[] {
  const db = openForReading(dir);
  const rows = db.prepare("select topic, detail from trail where item = ? order by position").all(item);
  db.close();
  return rows.map(({ topic, detail }) => ({
    topic: String(topic),
    detail: JSON.parse(String(detail)) as Record<string, unknown>,
  }));
}

test("P20 preview and original arrive, and HQ reads the original's very bytes", async () => {
  const { tus, taker } = phoneOf(rep);
  const photo = await taker.take(picture);
  const preview = await tus.send(photo, "preview", smallPicture);
  assert.equal(preview.status, 204);
  const original = await tus.send(photo, "original");
  assert.deepEqual([original.status, original.offset], [204, picture.length]);
  const seen = await tusOf(relay.url, hq.token).read(`/v1/photos/${photo.id}`);
  assert.equal(seen.status, 200);
  assert.ok(isSame(seen.bytes, picture));
  assert.equal(seen.headers.get("x-content-type-options"), "nosniff");
  assert.match(seen.headers.get("content-disposition") ?? "", /^attachment;/);
  assert.equal(seen.headers.get("content-type"), "image/jpeg");
  const small = await tusOf(relay.url, hq.token).read(`/v1/photos/${photo.id}/preview`);
  assert.equal(small.status, 200);
  assert.notDeepEqual(small.bytes, smallPicture);
  assert.deepEqual(
    trailOf(photo.id)
      .filter(({ topic }) => topic === "photo.arrived")
      .map(({ detail }) => [detail["part"], detail["bytes"]]),
    [
      ["preview", small.bytes.length],
      ["original", picture.length],
    ],
  );
});

test("P20 a small photo is whole in one request, and its answer says so", async () => {
  const { tus, taker } = phoneOf(rep);
  const photo = await taker.take(picture);
  const preview = await tus.sendAtOnce(photo, "preview", smallPicture);
  assert.deepEqual([preview.status, preview.offset], [201, smallPicture.length]);
  const original = await tus.sendAtOnce(photo, "original");
  assert.deepEqual([original.status, original.offset], [201, picture.length]);
  assert.equal((await tus.head(original.location)).offset, picture.length);
  assert.ok(isSame((await tus.read(`/v1/photos/${photo.id}`)).bytes, picture));
});

test("P1 an upload without a token is turned away on every verb before anything is read", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  const stranger = tusOf(relay.url, null);
  const guesser = tusOf(relay.url, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  for (const { begin, add, ask } of [stranger, guesser]) {
    assert.equal((await begin(photo.id, "original", photo.sha256, picture.length)).status, 401);
    assert.equal((await add(begun.location, 0, picture)).status, 401);
    for (const verb of ["HEAD", "DELETE", "GET"]) assert.equal((await ask(verb, begun.location)).status, 401, verb);
  }
  assert.equal((await tus.head(begun.location)).offset, 0);
});

test("P1 another device's upload is refused on every verb, and its event cannot be used", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  const other = tusOf(relay.url, otherRep.token);
  assert.equal((await other.add(begun.location, 0, picture)).code, "photo.owner");
  assert.equal((await other.ask("HEAD", begun.location)).code, "photo.owner");
  assert.equal((await other.ask("DELETE", begun.location)).code, "photo.owner");
  assert.equal((await other.begin(photo.id, "original", photo.sha256, picture.length)).code, "photo.owner");
  assert.equal((await tus.add(begun.location, 0, picture)).status, 204);
});

test("P2 a photo is taken only once its event is placed", async () => {
  const { taker, tus } = phoneOf(rep);
  const { event, photo } = taker.make(picture);
  assert.deepEqual((await tus.send(photo, "original")).code, "photo.unknown");
  await taker.place(event);
  assert.equal((await tus.send(photo, "original")).status, 204);
});

test("P4 flipped bytes are refused by their hash, thrown away, and the right ones are taken after", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  const flipped = picture.slice();
  flipped[flipped.length - 9] = (flipped[flipped.length - 9] as number) ^ 1;
  const answer = await tus.add(begun.location, 0, flipped);
  assert.deepEqual([answer.status, answer.code], [422, "photo.hash"]);
  assert.equal((await tus.head(begun.location)).status, 404);
  assert.equal((await tus.read(`/v1/photos/${photo.id}`)).status, 404);
  assert.equal((await tus.send(photo, "original")).status, 204);
  const refused = trailOf(photo.id).find(({ topic }) => topic === "photo.refused");
  assert.equal(refused?.detail["code"], "photo.hash");
});

test("P2 an upload that promises other bytes than its event is not begun", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begin = (sha256: string, bytes: number) => tus.begin(photo.id, "original", sha256, bytes);
  assert.equal((await begin(photo.sha256, picture.length - 1)).code, "photo.size", "truncated");
  assert.equal((await begin(photo.sha256, picture.length + 1)).code, "photo.size", "over-long");
  assert.equal((await begin(photo.sha256, 0)).code, "photo.size", "empty");
  assert.equal((await begin(photo.sha256, 200_000_000)).status, 413, "200 MB");
  assert.equal((await begin("0".repeat(64), picture.length)).code, "photo.hash");
  assert.equal((await tus.begin(photo.id, "preview", photo.sha256, 0)).code, "photo.size", "empty preview");
  assert.equal((await tus.begin(photo.id, "preview", photo.sha256, 20_481)).code, "photo.size", "large preview");
  assert.equal((await tus.begin(photo.id, "thumb", photo.sha256, 9)).code, "request.malformed");
  assert.equal((await tus.begin("../../etc/passwd", "original", photo.sha256, 9)).code, "request.malformed");
});

test("P6 bytes beyond the declared end are refused and what was there goes on", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  assert.equal((await tus.add(begun.location, 0, picture.subarray(0, 1_000))).status, 204);
  const longer = new Uint8Array(picture.length);
  assert.deepEqual((await tus.add(begun.location, 1_000, longer)).code, "photo.size");
  const wrong = await tus.add(begun.location, 0, picture);
  assert.deepEqual([wrong.status, wrong.code], [409, "photo.offset"]);
  assert.equal((await tus.head(begun.location)).offset, 1_000);
  assert.equal((await tus.add(begun.location, 1_000, picture.subarray(1_000))).status, 204);
});

test("P5 a truncated upload never counts and is not shown", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  await tus.add(begun.location, 0, picture.subarray(0, Math.floor(picture.length * 0.6)));
  assert.equal((await tus.read(`/v1/photos/${photo.id}`)).status, 404);
});

test("P7 a picture that claims more pixels than allowed is refused before any decoder sees it", async () => {
  const { taker, tus } = phoneOf(rep);
  const flood = picture.slice();
  const frame = flood.findIndex((byte, at) => byte === 0xff && flood[at + 1] === 0xc0);
  flood.set([0xea, 0x60, 0xea, 0x60], frame + 5);
  const photo = await taker.take(flood, { width: 20_000, height: 20_000 });
  assert.deepEqual((await tus.send(photo, "original")).code, "photo.type");
  assert.deepEqual((await tus.send(photo, "preview", floodOf(smallPicture))).code, "photo.type");
});

function floodOf(bytes: Uint8Array): Uint8Array {
  const flood = bytes.slice();
  const frame = flood.findIndex((byte, at) => byte === 0xff && flood[at + 1] === 0xc0);
  flood.set([0x4e, 0x20, 0x4e, 0x20], frame + 5);
  return flood;
}

test("P8 what only calls itself a picture is refused, also as a preview", async () => {
  const { taker, tus } = phoneOf(rep);
  const page = new TextEncoder().encode("GIF89a/*<html><script>alert(1)</script></html>*/=1;".padEnd(400));
  assert.equal((await tus.send(await taker.take(page), "original")).code, "photo.type");
  const photo = await taker.take(picture);
  assert.equal((await tus.send(photo, "preview", page)).code, "photo.type");
  const torn = smallPicture.slice(0, Math.floor(smallPicture.length / 2));
  assert.equal((await tus.send(photo, "preview", torn)).code, "photo.type", "half a picture");
  const png = new Uint8Array(smallPicture.length);
  png.set([
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 9, 0, 0, 0, 9,
  ]);
  assert.equal((await tus.send(await taker.take(png), "original")).code, "photo.type", "PNG promised as JPEG");
});

test("P9 a picture with a page behind it is shown only as a picture, and its preview holds nothing of the page", async () => {
  const { taker, tus } = phoneOf(rep);
  const tail = new TextEncoder().encode("<script>alert('polyglot')</script>");
  const both = new Uint8Array([...picture, ...tail]);
  const photo = await taker.take(both);
  assert.equal((await tus.send(photo, "original")).status, 204);
  const seen = await tus.read(`/v1/photos/${photo.id}`);
  assert.ok(isSame(seen.bytes, both));
  assert.equal(seen.headers.get("content-type"), "image/jpeg");
  assert.equal(seen.headers.get("x-content-type-options"), "nosniff");
  assert.match(seen.headers.get("content-security-policy") ?? "", /sandbox/);
  // No preview came: the relay makes one when it is first asked for.
  const preview = await tus.read(`/v1/photos/${photo.id}/preview`);
  assert.equal(preview.status, 200);
  assert.ok(!Buffer.from(preview.bytes).includes("polyglot"));
});

test("P3 what is at HQ cannot be begun again, changed or deleted", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  assert.equal((await tus.add(begun.location, 0, picture)).status, 204);
  assert.deepEqual((await tus.begin(photo.id, "original", photo.sha256, picture.length)).code, "photo.exists");
  assert.deepEqual((await tus.add(begun.location, 0, picture)).code, "photo.exists");
  assert.deepEqual((await tus.ask("DELETE", begun.location)).code, "photo.exists");
  // A phone whose last answer was lost asks how far it came, and must hear that all is there.
  const head = await tus.head(begun.location);
  assert.deepEqual([head.status, head.offset], [200, picture.length]);
  assert.ok(isSame((await tus.read(`/v1/photos/${photo.id}`)).bytes, picture));
});

test("P14 a phone that lost the first answer begins again, and the first try is thrown away", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const first = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  await tus.add(first.location, 0, picture.subarray(0, 500));
  const second = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  assert.notEqual(second.location, first.location);
  assert.equal((await tus.head(first.location)).status, 404);
  assert.equal((await tus.add(second.location, 0, picture)).status, 204);
});

test("P14 an upload that was given up is gone", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  const begun = await tus.begin(photo.id, "original", photo.sha256, picture.length);
  assert.equal((await tus.ask("DELETE", begun.location)).status, 204);
  assert.equal((await tus.head(begun.location)).status, 404);
});

test("P19 a rep sees only his own photos, a supervisor those of his territories, HQ all", async () => {
  const { taker, tus } = phoneOf(rep);
  const photo = await taker.take(picture);
  await tus.send(photo, "original");
  const other = tusOf(relay.url, otherRep.token);
  assert.equal((await tus.read(`/v1/photos/${photo.id}`)).status, 200);
  assert.equal((await other.read(`/v1/photos/${photo.id}`)).status, 404);
  assert.equal((await other.read(`/v1/photos/${photo.id}/preview`)).status, 404);
  assert.equal((await tusOf(relay.url, null).read(`/v1/photos/${photo.id}`)).status, 401);
  assert.equal((await tusOf(relay.url, hq.token).read(`/v1/photos/${photo.id}`)).status, 200);
  assert.equal((await other.read("/v1/people/R001/photos")).status, 403);
  for (const [person, territories, status, listed] of [
    ["S901", "T1", 200, 1],
    ["S902", "T2", 404, 0],
    ["S903", "*", 200, 1],
  ] as const) {
    const supervisor = tusOf(relay.url, (await enrolAs(relay.url, dir, person, "supervisor", territories)).token);
    assert.equal((await supervisor.read(`/v1/photos/${photo.id}`)).status, status, territories);
    const visit = await supervisor.read(`/v1/visits/${photo.visit}/photos`);
    const { photos } = JSON.parse(new TextDecoder().decode(visit.bytes)) as { photos: unknown[] };
    assert.equal(photos.length, listed, territories);
    assert.equal((await supervisor.read("/v1/people/R001/photos")).status, status === 200 ? 200 : 403, territories);
  }
});

test("P40 a visit says what is at HQ, what is owed, and when its phone was last heard", async () => {
  const { taker, tus } = phoneOf(rep);
  const visit = randomUUID();
  const photos = [];
  for (let count = 0; count < 5; count += 1) photos.push(await taker.take(picture, {}, visit));
  const [first, second, third, fourth, fifth] = photos as [(typeof photos)[0], ...typeof photos] & { length: 5 };
  const sixth = await taker.take(new TextEncoder().encode("no picture".padEnd(400)), {}, visit);
  assert.equal((await tus.send(sixth, "original")).code, "photo.type");
  for (const photo of [first, second]) assert.equal((await tus.send(photo as typeof first, "original")).status, 204);
  assert.equal((await tus.send(third as typeof first, "preview", smallPicture)).status, 204);
  const talk = await rep.connect();
  const owed = (photo: typeof first | undefined, lost?: boolean) => ({
    id: photo?.id ?? "",
    visit,
    sha256: photo?.sha256 ?? "",
    bytes: picture.length,
    preview: false,
    ...(lost === true ? { lost } : {}),
  });
  const claim = rep.claimMessage(1, [], { photosOwed: [owed(third), owed(fourth, true)] });
  assert.equal((await talk.ask(claim)).type, "claimed");
  talk.socket.close();
  const { bytes } = await tusOf(relay.url, hq.token).read(`/v1/visits/${visit}/photos`);
  const manifest = JSON.parse(Buffer.from(bytes).toString()) as {
    sentence: string;
    photos: { id: string; state: string }[];
    captured: number;
  };
  const states = new Map(manifest.photos.map(({ id, state }) => [id, state]));
  assert.deepEqual(
    [first, second, third, fourth, fifth, sixth].map((photo) => states.get(photo?.id ?? "")),
    ["at-hq", "at-hq", "preview-at-hq", "lost", "dropped", "refused"],
  );
  assert.match(
    manifest.sentence,
    /^2 of 6 at HQ, 1 owed, \d\.\d MB, 1 damaged on the phone, 1 refused here, 1 deleted on the phone, last heard \d\d:\d\d$/,
  );
  const none = await tusOf(relay.url, hq.token).read(`/v1/visits/${randomUUID()}/photos`);
  assert.match(Buffer.from(none.bytes).toString(), /No photo was taken/);
  assert.equal(
    (
      JSON.parse(
        Buffer.from((await tusOf(relay.url, otherRep.token).read(`/v1/visits/${visit}/photos`)).bytes).toString(),
      ) as typeof manifest
    ).captured,
    0,
  );
});

test("P40 a photo that was lost with its phone is told apart from one that is owed", async () => {
  const lost = await enrolAs(relay.url, dir, "R003", "rep");
  const photo = await photoTaker(lost).take(picture);
  const sentence = async () => {
    const { bytes } = await tusOf(relay.url, hq.token).read(`/v1/visits/${photo.visit}/photos`);
    return (JSON.parse(Buffer.from(bytes).toString()) as { sentence: string }).sentence;
  };
  assert.match(await sentence(), /^0 of 1 at HQ, 1 owed, \d\.\d MB$/);
  assert.equal((await sampai("revoke", "--dir", dir, "--device", lost.device, "--reason", "stolen")).status, 0);
  assert.equal(await sentence(), "0 of 1 at HQ, 1 lost with the phone");
});

/** Runs with a relay of its own, whose operator set `config`. */
async function withConfig(
  config: Record<string, number>,
  use: (own: {
    url: string;
    dir: string;
    restart: (change: () => void | Promise<unknown>) => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const own = await newFolder();
  await writeFile(path.join(own, "config.json"), JSON.stringify(config));
  let running = await serveRelay(own);
  try {
    await use({
      url: running.url,
      dir: own,
      restart: async (change) => {
        await running.end("SIGTERM");
        await change();
        running = await serveRelay(own);
        return running.url;
      },
    });
  } finally {
    await running.end("SIGKILL");
  }
}

test("P40 a photo that was here until a decision removed it is told apart from one that never came", async () => {
  await withConfig({}, async ({ url, dir: own, restart }) => {
    const phone = await enrolAs(url, own, "R001", "rep");
    const photo = await photoTaker(phone).take(picture);
    assert.equal((await tusOf(url, phone.token).send(photo, "original")).status, 204);
    // The command itself takes no day to come, and the photo is of today.
    const before = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    const request = { before, what: "photos", reason: "policy", by: "test" } as const;
    const again = await restart(() => withOffice(own, (office) => expireBefore(office, request)));
    const { bytes } = await tusOf(again, phone.token).read(`/v1/visits/${photo.visit}/photos`);
    assert.match(Buffer.from(bytes).toString(), /"sentence":"0 of 1 at HQ, 1 removed by a decision"/);
  });
});

test("P11 with the disk nearly full photos are answered 507 with a time to wait, and the order log goes on", async () => {
  await withConfig({ photoFreeBytes: 2 ** 52 }, async ({ url, dir: own }) => {
    const phone = await enrolAs(url, own, "R001", "rep");
    const answer = await tusOf(url, phone.token).send(await photoTaker(phone).take(picture), "original");
    assert.deepEqual([answer.status, answer.code], [507, "storage.full"]);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  });
});

test("P10 a device's quota for the day holds back its own photos only, and only until tomorrow", async () => {
  await withConfig({ photoBytesPerDay: picture.length + 10 }, async ({ url, dir: own, restart }) => {
    const phone = await enrolAs(url, own, "R001", "rep");
    const taker = photoTaker(phone);
    const tus = tusOf(url, phone.token);
    assert.equal((await tus.send(await taker.take(picture), "original")).status, 204);
    const next = await taker.take(picture);
    const refused = await tus.send(next, "original");
    assert.deepEqual([refused.status, refused.code], [429, "photo.quota"]);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    const other = await enrolAs(url, own, "R002", "rep");
    assert.equal((await tusOf(url, other.token).send(await photoTaker(other).take(picture), "original")).status, 204);
    const tomorrow = await restart(() => {
      const db = new DatabaseSync(databaseFile(own));
      for (const table of ["photo_upload", "photo_day"]) db.exec(`update ${table} set day = '2026-01-01'`);
      db.close();
    });
    assert.equal((await tusOf(tomorrow, phone.token).send(next, "original")).status, 204);
  });
});
