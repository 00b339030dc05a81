import { createSystemClock } from "@sampai/engine/adapters/clock";
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { after, before, test, type TestContext } from "node:test";
import { openForReading } from "../src/database/connection.ts";
import { startWriter, type Writer } from "../src/database/writer.ts";
import type { Arrival } from "../src/photos/arrival.ts";
import { photoLimits } from "../src/photos/limits.ts";
import { createPhotoRoom, type PhotoRoom } from "../src/photos/room.ts";
import { createUploads } from "../src/photos/uploads.ts";
import type { Caller } from "../src/relay/part.ts";
import { listen } from "../src/server.ts";
import { enrolAs, noisyPicture, photoTaker, tusOf, type TakenPhoto } from "./photos-field.ts";
import { newFolder, serveRelay } from "./relay-process.ts";

let writer: Writer;
let db: DatabaseSync;
let room: PhotoRoom;
let caller: Caller;
const taken: TakenPhoto[] = [];

before(async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  const rep = await enrolAs(relay.url, dir, "R001", "rep");
  const taker = photoTaker(rep);
  for (let photo = 0; photo < 2; photo += 1) taken.push(await taker.take(await noisyPicture(240, 180)));
  await relay.end("SIGTERM");
  writer = await startWriter(dir, assert.fail);
  db = openForReading(dir);
  const limits = { ...photoLimits, freeBytes: 0 };
  room = createPhotoRoom({ dir, db, writer, limits, clock: createSystemClock(), zone: "UTC", note: assert.fail });
  caller = { device: rep.device, person: "R001", name: "R001", role: "rep", publicKey: "", territories: ["T1"] };
});
after(async () => {
  room.decoder.close();
  db.close();
  await writer.close();
});

/** The first upload that begins has its row, and goes on to make its files only when it is let go. */
function holdFirst(arrival: Arrival) {
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let isFirst = true;
  const alone = async <T>(photo: string, work: () => Promise<T>): Promise<T> => {
    const held = isFirst;
    isFirst = false;
    const done = await arrival.alone(photo, work);
    if (held) {
      begun.resolve();
      await goOn.promise;
    }
    return done;
  };
  return { arrival: { ...arrival, alone }, begun: begun.promise, letGo: () => goOn.resolve() };
}

/**
 * Begins the upload of a photo again, over real HTTP, while the first request has its row and no files yet; then lets
 * the first one go on, its body still open. `finish` and `breakOff` end it, and resolve when the relay is done with it.
 */
async function begunAgain(context: TestContext, photo: TakenPhoto) {
  const first = holdFirst(room.arrival);
  const uploads = createUploads({ ...room, arrival: first.arrival });
  const answers: Promise<Response>[] = [];
  const server = await listen(
    { host: "127.0.0.1", port: 0 },
    (request) => {
      const answer = uploads.handle(request, caller);
      answers.push(answer);
      return answer;
    },
    () => Promise.reject(new Error("nobody asks for a websocket")),
  );
  context.after(() => server.close());
  const tus = tusOf(`http://127.0.0.1:${server.port}`, null);
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const writing = body.writable.getWriter();
  const breaking = new AbortController();
  const held = tus.sendHeld(photo, body.readable, breaking.signal);
  const half = Math.floor(photo.bytes.length / 2);
  await writing.write(photo.bytes.subarray(0, half));
  await first.begun;
  const second = await tus.begin(photo.id, "original", photo.sha256, photo.bytes.length);
  assert.equal(second.status, 201);
  first.letGo();
  return {
    tus,
    second,
    finish: async () => {
      await writing.write(photo.bytes.subarray(half));
      await writing.close();
      return held;
    },
    breakOff: async () => {
      breaking.abort();
      await assert.rejects(held);
      await answers[0];
    },
  };
}

const unfinished = async () => (await readdir(room.uploads)).sort();
const filesOf = (location: string) => [path.basename(location), `${path.basename(location)}.json`];

test("P14 a try that was begun again before its files were made leaves none of them when its request ends, and the second one arrives", async (context) => {
  const photo = taken[0] as TakenPhoto;
  const { tus, second, finish } = await begunAgain(context, photo);
  assert.equal((await finish()).code, "photo.unknown");
  assert.deepEqual(await unfinished(), filesOf(second.location));
  assert.equal((await tus.add(second.location, 0, photo.bytes)).status, 204);
  assert.deepEqual(await unfinished(), []);
});

test("P14 a try that was begun again before its files were made leaves none of them when its request breaks off, and the second one arrives", async (context) => {
  const photo = taken[1] as TakenPhoto;
  const { tus, second, breakOff } = await begunAgain(context, photo);
  await breakOff();
  assert.deepEqual(await unfinished(), filesOf(second.location));
  assert.equal((await tus.add(second.location, 0, photo.bytes)).status, 204);
  assert.deepEqual(await unfinished(), []);
});
