import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createFacts,
  createIds,
  createLanes,
  createMemoryStorage,
  daySentence,
  openOutbox,
  openOwnEvents,
  sinceLastClose,
  type HttpRequest,
  type Place,
  type Storage,
} from "../src/index.ts";
import { openHeldDays } from "../src/day/held-days.ts";
import { createDaySync } from "../src/sync/day-sync.ts";
import { bytesToHex, sha256Hex, utf8ToBytes } from "../src/core/hash.ts";
import { dayMessage, packMessage, type DayCertificate } from "../src/wire/index.ts";
import { seeded } from "./seeded.ts";
import { attendance, crypto, identity } from "./simulated-phone.ts";
import { createSimulatedTime } from "./simulated-time.ts";

const root = await crypto.generateKeyPair();
const person = { ...identity, rootKey: bytesToHex(root.publicKey) };
const DAY = "2026-11-23";
const run = "0".repeat(16);

const certificate = (change: Partial<DayCertificate> = {}): DayCertificate => ({
  v: 1,
  workspace: person.workspace,
  rep: person.rep,
  day: DAY,
  zone: person.zone,
  term: "1:abc",
  number: 1,
  reason: "closed",
  restates: null,
  standing: "complete",
  events: { here: 47, declared: 47 },
  photos: { captured: 6, owed: 0, lost: 0, ids: [] },
  closes: [
    {
      device: person.device,
      run,
      seq: 48,
      hash: "1".repeat(64),
      position: 99,
      at: `${DAY}T10:00:00.000Z`,
      counted: { events: 47, photos: 6 },
    },
  ],
  devices: [],
  missing: [],
  holes: [],
  damaged: [],
  except: [],
  issuedAt: `${DAY}T10:00:01.000Z`,
  ...change,
});

async function signed(said: DayCertificate, purpose = dayMessage, key = root.secretKey) {
  const bytes = utf8ToBytes(JSON.stringify(said));
  return { certificate: bytes, signature: await crypto.sign(purpose(sha256Hex(bytes)), key), position: 100 };
}

const openDays = (storage: Storage) => openHeldDays({ identity: person, storage, crypto });

test("a day certificate is kept, shown and found again after a restart", async () => {
  const storage = createMemoryStorage();
  const days = await openDays(storage);
  const told: string[] = [];
  days.onCertified(({ certificate: { day } }) => told.push(day));
  // As it comes over the wire, with what a message has beside it.
  const message = { type: "certificate", ...(await signed(certificate())) };
  assert.ok((await days.take(message)).ok);
  assert.deepEqual(told, [DAY]);
  const again = await openDays(storage);
  assert.equal(again.of(DAY)?.certificate.events.here, 47);
  assert.equal(again.list().length, 1);
});

test("nothing is believed that the root key did not sign for this purpose, this workspace and this person", async () => {
  const days = await openDays(createMemoryStorage());
  const stranger = await crypto.generateKeyPair();
  const offered = await signed(certificate());
  const changed = { ...offered, certificate: utf8ToBytes(JSON.stringify(certificate({ number: 2 }))) };
  for (const [code, bad] of [
    ["day.signature", changed],
    ["day.signature", await signed(certificate(), dayMessage, stranger.secretKey)],
    ["day.signature", await signed(certificate(), packMessage)],
    ["day.other", await signed(certificate({ rep: "R099" }))],
    ["day.other", await signed(certificate({ workspace: "other" }))],
    ["day.malformed", await signed({ ...certificate(), day: "today" })],
  ] as const) {
    const taken = await days.take(bad);
    assert.equal(taken.ok ? "taken" : taken.error.code, code);
  }
  assert.deepEqual(days.list(), []);
});

test("the newest certificate of a day holds, in whatever order they come", async () => {
  const days = await openDays(createMemoryStorage());
  const first = await signed(certificate({ standing: "incomplete" }));
  const second = await signed(certificate({ number: 2, reason: "arrived" }));
  assert.ok((await days.take(second)).ok);
  const older = await days.take(first);
  assert.equal(older.ok ? "taken" : older.error.code, "day.older");
  assert.equal(days.of(DAY)?.certificate.number, 2);
  // A relay restored from a backup gives a number again, in a later term.
  const restored = certificate({ term: "2:def", number: 1, issuedAt: `${DAY}T12:00:00.000Z` });
  assert.ok((await days.take(await signed(restored))).ok);
  assert.equal(days.of(DAY)?.certificate.term, "2:def");
});

test("a certificate that the disk does not take is not shown, and can be taken later", async () => {
  const storage = createMemoryStorage();
  let full = true;
  const days = await openDays({
    ...storage,
    commit: (writes) => (full ? Promise.reject(new Error("no space")) : storage.commit(writes)),
  });
  const offered = await signed(certificate());
  await assert.rejects(days.take(offered), /no space/);
  assert.equal(days.of(DAY), undefined);
  full = false;
  assert.ok((await days.take(offered)).ok);
});

async function phoneWithClose(state: "owed" | "acknowledged") {
  const time = createSimulatedTime();
  const storage = createMemoryStorage();
  const clock = time.clock("boot");
  const outbox = await openOutbox(storage, clock);
  const events = await openOwnEvents(storage, clock);
  const facts = await createFacts({
    identity: person,
    clock,
    ids: createIds(clock, seeded(3)),
    storage,
    events,
    outbox,
    anchor: () => null,
    packNumber: () => null,
  });
  await facts.capture(attendance);
  const close = await facts.capture({
    kind: "dayClosed",
    body: { day: DAY, ...sinceLastClose(facts.list()) },
  });
  assert.ok(close.ok);
  const { hash, envelope } = close.value;
  assert.deepEqual(envelope.body, { day: DAY, events: 1, photos: 0 });
  if (state === "acknowledged") {
    const { run: of, seq, prev } = envelope;
    await outbox.acknowledge(
      [{ run: of, seq, prev, hash, term: "1:abc", position: 7, at: `${DAY}T10:00:00.000Z` }],
      [],
    );
  }
  const days = await openDays(storage);
  const asked: string[] = [];
  const answers: { text: string; signature: string; position: number }[] = [];
  const daySync = createDaySync({
    days,
    facts,
    http: {
      request: async ({ path }: HttpRequest) => {
        asked.push(path);
        return {
          status: 200,
          headers: {},
          body: utf8ToBytes(JSON.stringify({ certificate: answers.shift() ?? null })),
        };
      },
    },
    lanes: createLanes(),
    rep: person.rep,
    zone: person.zone,
    nowMs: time.nowMs,
  });
  const contact = async () => {
    daySync.connected({} as never, {} as never);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    daySync.lost();
  };
  return { days, daySync, asked, answers, contact, hash, facts };
}

test("a phone asks for the certificate of a day that it closed, and no more once that is settled", async () => {
  const phone = await phoneWithClose("acknowledged");
  await phone.contact();
  assert.deepEqual(phone.asked, [`/v1/days/R012/${DAY}`]);
  const [close] = certificate().closes;
  assert.ok(close);
  const closes = [{ ...close, hash: phone.hash }];
  const owing = await signed(certificate({ closes, photos: { captured: 1, owed: 1, lost: 0, ids: ["a"] } }));
  phone.answers.push({
    text: new TextDecoder().decode(owing.certificate),
    signature: bytesToHex(owing.signature),
    position: 100,
  });
  await phone.contact();
  assert.equal(phone.days.of(DAY)?.certificate.photos.owed, 1);
  // The relay tells by itself what it certifies while the phone is connected.
  phone.daySync.receive({ type: "certificate", ...(await signed(certificate({ closes, number: 2 }))) });
  await phone.contact();
  const asked = phone.asked.length;
  assert.equal(phone.days.of(DAY)?.certificate.number, 2);
  await phone.contact();
  assert.equal(phone.asked.length, asked, "a settled day costs nothing");
});

test("a close that the relay does not hold yet is not asked about", async () => {
  const phone = await phoneWithClose("owed");
  await phone.contact();
  assert.deepEqual(phone.asked, []);
});

test("a day is read as a sentence", () => {
  assert.equal(daySentence(certificate()), "R012, 23 Nov: complete. 47 of 47 events, all 6 photos.");
  const photos = { captured: 6, owed: 5, lost: 1, ids: [] };
  assert.equal(
    daySentence(certificate({ photos })),
    "R012, 23 Nov: complete. 47 of 47 events, 5 of 6 photos owed, 1 of them lost on the phone.",
  );
  assert.equal(
    daySentence(
      certificate({
        standing: "incomplete",
        events: { here: 40, declared: 47 },
        missing: [{ device: "d2", run, from: 41, to: 47 }],
        photos: { captured: 0, owed: 0, lost: 0, ids: [] },
      }),
    ),
    "R012, 23 Nov: incomplete, missing are events 41–47 of run 00000000 on device d2. 40 of 47 events.",
  );
  assert.equal(
    daySentence(
      certificate({
        standing: "complete-except",
        except: [{ device: "d2", why: "unheard", lastContact: null }],
        photos: { captured: 0, owed: 0, lost: 0, ids: [] },
      }),
    ),
    "R012, 23 Nov: complete except device d2 (never heard). 47 of 47 events.",
  );
});

const fix: Place = { lat: 3.1, lon: 101.6, accuracy: 9, age: 0, provider: "gps", mock: false };

test("location is taken only between the start and the end of attendance", async () => {
  const time = createSimulatedTime();
  const storage = createMemoryStorage();
  const clock = time.clock("boot");
  const facts = await createFacts({
    identity: person,
    clock,
    ids: createIds(clock, seeded(5)),
    storage,
    events: await openOwnEvents(storage, clock),
    outbox: await openOutbox(storage, clock),
    anchor: () => null,
    packNumber: () => null,
  });
  const placeOf = async (kind: "leaveTaken" | "attendanceStarted" | "attendanceEnded") => {
    const body =
      kind === "leaveTaken" ? { from: DAY, to: DAY, type: "annual", note: "" } : ({ odometerKm: null } as object);
    const captured = await facts.capture({ kind, body: body as never, place: fix });
    assert.ok(captured.ok, JSON.stringify(captured));
    return captured.value.envelope.place;
  };
  const outside = { missing: "outside-working-day" };
  assert.deepEqual(await placeOf("leaveTaken"), outside);
  assert.deepEqual(await placeOf("attendanceStarted"), fix);
  assert.deepEqual(await placeOf("leaveTaken"), fix);
  assert.deepEqual(await placeOf("attendanceEnded"), fix);
  assert.deepEqual(await placeOf("leaveTaken"), outside);
  assert.deepEqual(await placeOf("attendanceEnded"), outside);
  assert.deepEqual(await placeOf("attendanceStarted"), fix);
  // A day that somebody forgot to end is over with its day.
  await time.advance(24 * 3_600_000);
  assert.deepEqual(await placeOf("leaveTaken"), outside);
});
