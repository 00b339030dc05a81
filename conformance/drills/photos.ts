import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { DetailedError, Upload } from "tus-js-client";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { openFaultyLink, type Fate } from "../src/faulty-link.ts";
import { openHq, type HqClient } from "../src/hq-client.ts";
import { RawWriter } from "../src/raw-writer.ts";
import { enrolmentCode, startRelay } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { until } from "../src/until.ts";
import type { Drill } from "./story.ts";

const DEVICES = 8;
/** One relay kill for so many uploads. */
const UPLOADS_A_KILL = 250;
const LEAST_BYTES = 4_000;
const MOST_BYTES = 40_000;
const PIECE_BYTES = 8_192;
/** A fault strikes within so many bytes. */
const FAULT_BYTES = 120_000;
const CUTS_OF_ONE = 50;
const LARGE_BYTES = 300_000;
const KILL_WITHIN_MS = 600_000;
/** Tries of one photo before it counts as lost. */
const TRIES = 60;

interface Taken {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** A stock tus client on links that cut and flip, and a relay that is killed: no wrong byte in, no photo lost, none dangling. */
export const photos: Drill = {
  does: "photo uploads by a stock tus client, with cuts, flipped bytes and kill -9 of the relay",
  times: 1_000,
  run: async ({ times, seed, say }) => {
    const random = seededRandom(seed);
    const folder = await temporaryFolder("photos-drill");
    const dir = path.join(folder, "relay");
    let relay = await startRelay(dir);
    const { port, url } = relay;
    const hq = await openHq(url, await enrolmentCode(dir, "H001", { name: "Desk", role: "hq" }));
    const writers: RawWriter[] = [];
    for (let index = 0; index < DEVICES; index += 1) {
      const code = await enrolmentCode(dir, `R00${index + 1}`, { name: `Rep ${index + 1}`, role: "rep" });
      writers.push(await RawWriter.enrol(url, code));
    }
    const picture = await smallPicture();
    const first = writers[0] as RawWriter;

    const [large] = await capture(first, picture, [LARGE_BYTES]);
    const cuts = await cutOften(port, first, large as Taken, random);
    const finished = (await stateAtHq(hq, large as Taken)) === "right";
    say(
      `A stock tus client was cut ${cuts} times at random in one photo of ${LARGE_BYTES} bytes, and ${finished ? "finished with the same bytes" : "did not finish with the same bytes"}.`,
    );

    const link = await openFaultyLink(port, () => fateOf(random));
    const taken: Taken[] = [];
    const outcome = { given: 0, refusedHashes: 0 };
    const each = Math.ceil(times / DEVICES);
    const perDevice: Taken[][] = [];
    for (const [index, writer] of writers.entries()) {
      const count = Math.max(0, Math.min(each, times - index * each));
      const sizes = Array.from(
        { length: count },
        () => LEAST_BYTES + Math.floor(random() * (MOST_BYTES - LEAST_BYTES)),
      );
      perDevice.push(await capture(writer, picture, sizes));
    }
    let done = 0;
    const sending = Promise.all(
      writers.map(async (writer, index) => {
        for (const photo of perDevice[index] as Taken[]) {
          taken.push(photo);
          const sent = await send(link.url, writer, photo);
          outcome.refusedHashes += sent.refusedHashes;
          if (!sent.arrived) outcome.given += 1;
          done += 1;
        }
      }),
    );
    let kills = 0;
    for (let at = UPLOADS_A_KILL / 2; at < times; at += UPLOADS_A_KILL) {
      const wanted = at;
      await until("the next kill", async () => done >= wanted, KILL_WITHIN_MS);
      await relay.process.kill();
      relay = await startRelay(dir, port);
      kills += 1;
      say(`  After ${done} uploads the relay was killed (kill -9) and started again.`);
    }
    await sending;
    await link.close();
    const { cuts: cutConnections, flips } = link.counts();

    const all = [large as Taken, ...taken];
    const seen = { right: 0, wrong: 0, lost: 0 };
    for (const photo of all) seen[await stateAtHq(hq, photo)] += 1;
    const dangling = await danglingFiles(dir, all);
    await relay.process.stop();
    await rm(folder, { recursive: true, force: true });
    const ok = finished && cuts === CUTS_OF_ONE && seen.wrong + seen.lost + outcome.given + dangling === 0;
    say(
      `${taken.length} uploads, ${cutConnections} connections cut, ${flips} bytes flipped, ${kills} kills: ${seen.right} photos at HQ with the right hash, ${seen.wrong} with a wrong one, ${seen.lost} lost, ${dangling} files dangling. ${outcome.refusedHashes} uploads were refused by their hash and sent again.`,
    );
    return {
      drill: "photos",
      uploads: taken.length,
      cutsOfOne: cuts,
      cutConnections,
      flips,
      kills,
      refusedHashes: outcome.refusedHashes,
      verified: seen.right,
      wrongHashesAccepted: seen.wrong,
      lost: seen.lost,
      dangling,
      ok,
    };
  },
};

/** Cuts and changed bytes strike anywhere, also in a request's head, and again and again. */
function fateOf(random: () => number): Fate {
  return { fault: random() < 0.5 ? "cut" : "flip", afterBytes: Math.floor(random() * FAULT_BYTES) };
}

async function smallPicture(): Promise<Buffer> {
  const create = { width: 64, height: 48, channels: 3 as const, background: "#7a9a4a" };
  return sharp({ create }).jpeg().toBuffer();
}

/** The picture with random bytes in a JPEG comment (T.81, B.2.4.5), so that each is another file of the wanted size. */
function pictureOf(picture: Buffer, bytes: number): Uint8Array {
  const parts: Buffer[] = [picture.subarray(0, 2)];
  for (let left = bytes; left > 0; left -= 60_000) {
    const comment = randomBytes(Math.min(left, 60_000));
    const head = Buffer.from([0xff, 0xfe, 0, 0]);
    head.writeUInt16BE(comment.length + 2, 2);
    parts.push(head, comment);
  }
  return new Uint8Array(Buffer.concat([...parts, picture.subarray(2)]));
}

/** Says in the order log that photos were taken. */
async function capture(writer: RawWriter, picture: Buffer, sizes: readonly number[]): Promise<Taken[]> {
  const taken = sizes.map((size): Taken => {
    const bytes = pictureOf(picture, size);
    return { id: randomUUID(), bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  const events = taken.map(({ id, bytes, sha256 }) => {
    const body = {
      sha256,
      bytes: bytes.length,
      type: "image/jpeg",
      width: 64,
      height: 48,
      dhash: null,
      purpose: "shelf",
    };
    return writer.makeEvent({ kind: "photo.captured.v1", id, body });
  });
  await writer.connect();
  for (let at = 0; at < events.length; at += 20) await writer.append(events.slice(at, at + 20));
  writer.close();
  return taken;
}

type Sent = "arrived" | "again" | "wrong-hash";

/** One upload by a stock client, from a new start. */
function uploadOnce(url: string, writer: RawWriter, photo: Taken, pieceBytes: number): Promise<Sent> {
  return new Promise((resolve) => {
    const upload = new Upload(Buffer.from(photo.bytes), {
      endpoint: `${url}/files/`,
      headers: { Authorization: writer.authorization },
      metadata: { photo: photo.id, part: "original", sha256: photo.sha256 },
      chunkSize: pieceBytes,
      retryDelays: Array.from({ length: TRIES }, () => 20),
      onSuccess: () => resolve("arrived"),
      onError: (error) => {
        const answer = error instanceof DetailedError ? (error.originalResponse?.getBody() ?? "") : "";
        if (answer.includes('"photo.exists"')) resolve("arrived");
        else resolve(answer.includes('"photo.hash"') ? "wrong-hash" : "again");
      },
    });
    upload.start();
  });
}

/** Uploads until the relay has it, as a phone does: what was refused begins anew. */
async function send(
  url: string,
  writer: RawWriter,
  photo: Taken,
): Promise<{ arrived: boolean; refusedHashes: number }> {
  let refusedHashes = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const sent = await uploadOnce(url, writer, photo, PIECE_BYTES);
    if (sent === "arrived") return { arrived: true, refusedHashes };
    if (sent === "wrong-hash") refusedHashes += 1;
    else await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { arrived: false, refusedHashes };
}

/** One photo over a link that is cut again and again, without any help but the client's own retries. */
async function cutOften(port: number, writer: RawWriter, photo: Taken, random: () => number): Promise<number> {
  const link = await openFaultyLink(port, () => {
    return link.counts().cuts < CUTS_OF_ONE
      ? { fault: "cut", afterBytes: 400 + Math.floor(random() * 8_000) }
      : { fault: "none", afterBytes: 0 };
  });
  try {
    await uploadOnce(link.url, writer, photo, Number.POSITIVE_INFINITY);
    return link.counts().cuts;
  } finally {
    await link.close();
  }
}

async function stateAtHq(hq: HqClient, photo: Taken): Promise<"right" | "wrong" | "lost"> {
  const bytes = await hq.bytes(`/v1/photos/${photo.id}`).catch(() => null);
  if (bytes === null) return "lost";
  return createHash("sha256").update(bytes).digest("hex") === photo.sha256 ? "right" : "wrong";
}

/** Files of uploads that are over, and blobs that belong to no photo. */
async function danglingFiles(dir: string, all: readonly Taken[]): Promise<number> {
  const ids = new Set(all.map(({ id }) => id));
  const blobs = await readdir(path.join(dir, "blobs", "photos"), { recursive: true, withFileTypes: true });
  const nobodys = blobs.filter((entry) => entry.isFile() && !ids.has(entry.name.slice(0, 36)));
  const unfinished = await readdir(path.join(dir, "uploads"));
  return nobodys.length + unfinished.length;
}
