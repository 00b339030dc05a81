import { eventKinds } from "@sampai/engine";
import { sha256Hex } from "@sampai/engine/core";
import { dayCertificateSchema, dayMessage, type RelayMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { cp } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { workspaceIn } from "../../src/commands/open-for-reading.ts";
import { databaseFile } from "../../src/database/connection.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import { enrolAs, noisyPicture, tusOf } from "../photos-field.ts";
import { enrolPhone, randomHash } from "../wire-phone.ts";
import { askDay, dayCommand, dayOnce, startRepPhone, today, type RepPhone } from "./rep-phone.ts";

let dir: string;
let relay: RelayProcess;
let person = 0;
const nextRep = () => `R${String((person += 1)).padStart(3, "0")}`;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
});
after(() => relay.end("SIGTERM"));

const rootVerifies = (message: Uint8Array, signature: Uint8Array) => {
  const x = Buffer.from(workspaceIn(dir).rootKey, "hex").toString("base64url");
  return verify(null, message, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }), signature);
};

test("a closed day is countersigned, told to the phone, and stands in the log as a leaf that can be proved", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  const events = phone.capture(47);
  await phone.send(...events, phone.close(today(), 47));
  const told = (await phone.talk.next()) as Extract<RelayMessage, { type: "certificate" }>;
  assert.equal(told.type, "certificate");
  assert.ok(rootVerifies(dayMessage(sha256Hex(told.certificate)), told.signature));
  const certificate = dayCertificateSchema.parse(JSON.parse(new TextDecoder().decode(told.certificate)));
  assert.equal(certificate.standing, "complete-except", "this device never said what it holds");
  await phone.claim(events.at(-1) as (typeof events)[0]);
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(view.certificate?.says.standing, "complete");
  assert.deepEqual(view.certificate?.says.events, { here: 47, declared: 47 });
  const { status, out } = await dayCommand(dir, rep);
  assert.equal(status, 0);
  assert.match(out, new RegExp(`^${rep}, \\d+ \\w+: complete\\. 47 of 47 events\\.\\n`));
  assert.match(out, /Certificate 2 .*: complete, because what was missing came\./);
  for (;;) {
    const proved = await sampai("log", "prove", `${rep}/${today()}/2`, "--dir", dir);
    if (proved.status === 0) break;
    assert.match(proved.err, /log\.uncovered/);
  }
});

test("what a claim announces and has not come is named as the exact range, and its arrival is certified", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  const events = phone.capture(3);
  const close = phone.close(today(), 3);
  const more = phone.capture(4);
  await phone.claim(more.at(-1) as (typeof more)[0]);
  await phone.send(...events, close);
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "incomplete");
  assert.deepEqual(view.certificate?.says.missing, [{ device: phone.wire.device, run: close.run, from: 5, to: 8 }]);
  assert.match(view.sentence, /incomplete, missing are events 5–8 of run \w{8} on device \w+\. 3 of 7 events\./);
  await phone.send(...more);
  const done = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.deepEqual(
    done.issued.map(({ standing, reason }) => [standing, reason]),
    [
      ["incomplete", "closed"],
      ["complete", "arrived"],
    ],
  );
});

test("a day covers all devices of its rep: what the other one holds back is missing, and when that is revoked, named", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  const tablet = await startRepPhone(relay.url, dir, rep);
  const [kept] = tablet.capture(1);
  assert.ok(kept);
  await tablet.claim(kept);
  const events = phone.capture(2);
  await phone.claim();
  await phone.send(...events, phone.close(today(), 2));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "incomplete");
  assert.equal(view.certificate?.says.missing[0]?.device, tablet.wire.device);
  const revoked = await sampai("revoke", "--dir", dir, "--device", tablet.wire.device, "--reason", "lost");
  assert.equal(revoked.status, 0, revoked.err);
  const done = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(done.certificate?.says.standing, "complete-except");
  assert.equal(done.issued[1]?.reason, "given-up");
  assert.deepEqual(
    done.certificate?.says.except.map(({ device, why }) => [device, why]),
    [[tablet.wire.device, "revoked"]],
  );
  assert.match(done.sentence, /complete except device \w+ \(revoked, last heard .*\)\. 2 of 2 events\./);
});

test("an event of a closed day that another device brings late restates the day with the reason", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  const tablet = await startRepPhone(relay.url, dir, rep);
  await tablet.claim();
  await phone.claim();
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  await tablet.send(...tablet.capture(3));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(view.issued[1]?.reason, "late");
  assert.deepEqual(view.certificate?.says.events, { here: 5, declared: 5 });
  assert.equal(view.certificate?.says.restates?.events, 2);
  assert.equal(view.state, "closed");
});

test("a day that is reopened says so, and is certified again when it is closed again", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  await phone.send(...phone.capture(1));
  const open = await askDay(relay.url, phone.wire.token, rep, today());
  assert.equal(open.state, "reopened");
  assert.match(open.sentence, /Reopened: 1 event since its last close\./);
  await phone.send(phone.close(today(), 1));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(view.issued[1]?.reason, "closed-again");
  assert.deepEqual(view.certificate?.says.events, { here: 3, declared: 3 });
  assert.equal(view.certificate?.says.closes.length, 2);
});

test("a declared hole inside the day makes it complete with holes, and the event that fills it makes it complete", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  const [first, lost, third] = phone.capture(3);
  assert.ok(first && lost && third);
  const close = phone.close(today(), 3);
  await phone.claim(close);
  await phone.send(first);
  await phone.send(third, close);
  await phone.declareHole(lost);
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "complete-with-holes");
  assert.deepEqual(view.certificate?.says.holes, [{ device: phone.wire.device, run: lost.run, from: 2, to: 2 }]);
  assert.deepEqual(view.certificate?.says.events, { here: 2, declared: 3 });
  await phone.send(lost);
  const done = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(done.certificate?.says.standing, "complete");
  assert.deepEqual(done.certificate?.says.events, { here: 3, declared: 3 });
});

test("photos are counted apart: a complete day names the owed ones, and the last to come brings a new certificate", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  const pictures = await Promise.all([noisyPicture(40, 30), noisyPicture(41, 30)]);
  const taken = pictures.map((bytes) => {
    const body = { ...eventKinds.photoCaptured.golden, sha256: sha256Hex(bytes), bytes: bytes.length };
    const [event] = phone.capture(1, (envelope) => ({ ...envelope, kind: eventKinds.photoCaptured.name, body }));
    assert.ok(event);
    return { event, photo: { id: event.id, visit: "", bytes, sha256: body.sha256 } };
  });
  await phone.send(...taken.map(({ event }) => event), phone.close(today(), 2));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "complete");
  const ids = taken.map(({ photo }) => photo.id).sort();
  assert.deepEqual(view.certificate?.says.photos, { captured: 2, owed: 2, lost: 0, ids });
  assert.match(view.sentence, /complete\. 2 of 2 events, 2 of 2 photos owed\./);
  const tus = tusOf(relay.url, phone.wire.token);
  for (const { photo } of taken) assert.equal((await tus.send(photo, "original")).status, 204);
  const done = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.deepEqual(
    done.issued.map(({ reason }) => reason),
    ["closed", "photos"],
  );
  assert.match(done.sentence, /2 of 2 events, all 2 photos\./);
});

test("a close by a phone whose clock says 2031 or 1970 is filed under the day on which it can have been made", async () => {
  for (const wrong of ["2031-05-01", "1970-01-01"]) {
    const rep = nextRep();
    const phone = await startRepPhone(relay.url, dir, rep);
    await phone.claim();
    const at = `${wrong}T00:00:00.000Z`;
    const events = phone.capture(2, (envelope) => ({ ...envelope, at, clock: { ...envelope.clock, wall: at } }));
    await phone.send(...events, phone.close(wrong, 2));
    // Asked by the name that the phone knows it under.
    const view = await dayOnce(relay.url, phone.wire.token, rep, wrong, ({ issued }) => issued.length > 0);
    assert.equal(view.day, today());
    assert.deepEqual(view.certificate?.says.events, { here: 2, declared: 2 });
  }
});

test("a replacement phone closes the day that the revoked one began, and both phones' events count", async () => {
  const rep = nextRep();
  const old = await startRepPhone(relay.url, dir, rep);
  await old.claim();
  await old.send(...old.capture(3));
  await sampai("revoke", "--dir", dir, "--device", old.wire.device, "--reason", "lost");
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "complete-except");
  assert.deepEqual(view.certificate?.says.events, { here: 5, declared: 5 });
});

test("a rep reads no other rep's day, a supervisor those of the territory, headquarters all", async () => {
  const [own, foreign] = [nextRep(), nextRep()];
  const phone = await startRepPhone(relay.url, dir, own);
  await startRepPhone(relay.url, dir, foreign);
  const near = await enrolAs(relay.url, dir, "S001", "supervisor");
  const hq = await enrolAs(relay.url, dir, "H001", "hq");
  const words = ["--person", "S002", "--name", "Far", "--role", "supervisor", "--territories", "T9"];
  const invited = await sampai("enrol", "--dir", dir, ...words);
  const far = await enrolPhone(relay.url, (JSON.parse(invited.out) as { code: string }).code);
  const ask = async (token: string, rep: string, day = today()) => {
    const answer = await fetch(`${relay.url}/v1/days/${rep}/${day}`, { headers: { authorization: `Bearer ${token}` } });
    return [answer.status, ((await answer.json()) as { code?: string }).code];
  };
  assert.deepEqual(await ask(phone.wire.token, own), [200, undefined]);
  // The same answer as for nobody's day, so that codes cannot be guessed at.
  assert.deepEqual(await ask(phone.wire.token, foreign), [404, "day.unknown"]);
  assert.deepEqual(await ask(phone.wire.token, "nobody"), [404, "day.unknown"]);
  assert.deepEqual(await ask(near.token, foreign), [200, undefined]);
  assert.deepEqual(await ask(far.token, foreign), [404, "day.unknown"]);
  assert.deepEqual(await ask(hq.token, foreign), [200, undefined]);
  assert.deepEqual(await ask(phone.wire.token, own, "yesterday"), [400, "request.malformed"]);
});

test("a relay that was killed certifies after its start what it had not, and `log verify` finds everything sound", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  await relay.end("SIGKILL");
  relay = await serveRelay(dir);
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "complete");
  const { status, out } = await sampai("log", "verify", "--dir", dir);
  assert.equal(status, 0, out);
});

/** A day of two events that is closed, claimed and certified. */
async function certifiedDay(rep: string): Promise<RepPhone> {
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  return phone;
}

test("a device that sends the greatest number there is leaves its day incomplete, and other days are certified", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  const [order, unsent] = phone.capture(2);
  assert.ok(order && unsent);
  await phone.send(order);
  for (const run of ["1".repeat(16), "2".repeat(16)]) {
    // Behind an event that nobody has: it waits.
    const [far] = phone.wire.events(1, { run, from: Number.MAX_SAFE_INTEGER, after: unsent });
    assert.ok(far);
    await phone.send({ ...far, prev: randomHash() });
  }
  await phone.send(unsent, phone.close(today(), 2));
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.equal(view.certificate?.says.standing, "incomplete");
  assert.deepEqual(view.certificate?.says.events, { here: 2, declared: Number.MAX_SAFE_INTEGER });
  assert.equal(view.certificate?.says.missing.length, 2);
  await certifiedDay(nextRep());
});

/** Writes another moment of enrolment into the relay's database and answers the one before. With `never` no day of the device can be read. */
function setEnrolled(device: string, enrolled: string): string {
  const db = new DatabaseSync(databaseFile(dir), { timeout: 5_000 });
  const row = db.prepare("select enrolled as before from device where device = ?").get(device) as { before: string };
  db.prepare("update device set enrolled = ? where device = ?").run(enrolled, device);
  db.close();
  return row.before;
}

test("a day that cannot be certified keeps no other waiting, also over a restart, and is certified when it can be", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  const enrolled = setEnrolled(phone.wire.device, "never");
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  await certifiedDay(nextRep());
  await relay.end("SIGKILL");
  relay = await serveRelay(dir);
  await certifiedDay(nextRep());
  await certifiedDay(nextRep());
  const said = relay
    .log()
    .split("\n")
    .filter((line) => line.includes(`"rep":"${rep}"`));
  assert.equal(said.length, 1, `the same failure is logged once: ${said.join("\n")}`);
  setEnrolled(phone.wire.device, enrolled);
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  assert.deepEqual([view.certificate?.says.standing, view.awaits], ["complete", null]);
});

test("`sampai day` says of a complete day that it is not certified yet", async () => {
  const rep = nextRep();
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  const enrolled = setEnrolled(phone.wire.device, "never");
  await phone.send(...phone.capture(2), phone.close(today(), 2));
  // Whose close is certified after it was filed: so its own was filed too.
  await certifiedDay(nextRep());
  await relay.end("SIGKILL");
  setEnrolled(phone.wire.device, enrolled);
  const { status, out } = await dayCommand(dir, rep);
  relay = await serveRelay(dir);
  assert.equal(status, 0, out);
  assert.match(out, /: complete\. 2 of 2 events\.\nNot certified yet\.\n$/);
});

test("a device that is revoked after its day was certified changes nothing of the day, also over a restart", async () => {
  const rep = nextRep();
  const phone = await certifiedDay(rep);
  await sampai("revoke", "--dir", dir, "--device", phone.wire.device, "--reason", "lost");
  await relay.end("SIGTERM");
  relay = await serveRelay(dir);
  // Certified after it: days that were in doubt at the start have been looked at.
  await certifiedDay(nextRep());
  const { status, out } = await dayCommand(dir, rep);
  assert.equal(status, 0, out);
  assert.match(
    out,
    /^R\d+, \d+ \w+: complete\. 2 of 2 events\.\nCertificate 1 [^\n]*: complete, because the day was closed\.[^\n]*\n$/,
  );
  const own = await startRepPhone(relay.url, dir, rep);
  await own.claim();
  await own.send(...own.capture(1), own.close(today(), 1));
  const again = await dayOnce(relay.url, own.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.equal(again.certificate?.says.reason, "closed-again");
  // Closed anew, and nobody knows what it took between the two closes.
  assert.deepEqual(
    again.certificate.says.except.map(({ device, why }) => [device, why]),
    [[phone.wire.device, "revoked"]],
  );
});

test("a revocation that is taken back restates the day that named it, with that reason", async () => {
  const rep = nextRep();
  const old = await startRepPhone(relay.url, dir, rep);
  await old.claim();
  await sampai("revoke", "--dir", dir, "--device", old.wire.device, "--reason", "lost");
  const phone = await certifiedDay(rep);
  await sampai("revoke", "--dir", dir, "--device", old.wire.device, "--undo");
  const view = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 1);
  assert.deepEqual(
    view.issued.map(({ standing, reason }) => [standing, reason]),
    [
      ["complete-except", "closed"],
      ["complete", "reinstated"],
    ],
  );
});

test("a forgotten person's certificates stand as they were signed, and `sampai day` says what they say", async () => {
  const [rep, late] = [nextRep(), nextRep()];
  const phone = await startRepPhone(relay.url, dir, rep);
  await phone.claim();
  const picture = await noisyPicture(42, 30);
  const body = { ...eventKinds.photoCaptured.golden, sha256: sha256Hex(picture), bytes: picture.length };
  const photos = phone.capture(2, (envelope) => ({ ...envelope, kind: eventKinds.photoCaptured.name, body }));
  await phone.send(...photos, phone.close(today(), 2));
  const before = await dayOnce(relay.url, phone.wire.token, rep, today(), ({ issued }) => issued.length > 0);
  // Closed, and forgotten before a relay could certify it.
  const never = await startRepPhone(relay.url, dir, late);
  await never.claim();
  const enrolled = setEnrolled(never.wire.device, "never");
  await never.send(...never.capture(2), never.close(today(), 2));
  await certifiedDay(nextRep());
  await relay.end("SIGKILL");
  setEnrolled(never.wire.device, enrolled);
  for (const person of [rep, late]) {
    const forgotten = await sampai("person", "forget", person, "--dir", dir, "--reason", "left the company");
    assert.equal(forgotten.status, 0, forgotten.err);
  }
  relay = await serveRelay(dir);
  await certifiedDay(nextRep());
  const { out } = await dayCommand(dir, rep);
  const [sentence, removed, certificate, ...more] = out.trimEnd().split("\n");
  assert.equal(sentence, before.sentence);
  assert.equal(removed, "What was kept of the day was removed since; this is what was certified.");
  assert.match(certificate ?? "", /^Certificate 1 .*: complete, because the day was closed\./);
  assert.deepEqual(more, []);
  const gone = await dayCommand(dir, late);
  assert.match(gone.out, /: closed, and what was kept of it was removed before it was certified\.\n$/);
});

test("`log verify` names a certificate that says something else, also when its hash was made to fit", async () => {
  const copy = await newFolder();
  await cp(dir, copy, { recursive: true });
  const db = new DatabaseSync(databaseFile(copy));
  const row = db
    .prepare("select position, bytes from log where type = 'certificate' order by position limit 1")
    .get() as {
    position: number;
    bytes: Uint8Array;
  };
  const forged = new TextEncoder().encode(new TextDecoder().decode(row.bytes).replace('"here":47', '"here":48'));
  const set = db.prepare("update log set bytes = ?, hash = coalesce(?, hash) where position = ?");
  set.run(forged, null, row.position);
  const unlike = await sampai("log", "verify", "--dir", copy);
  assert.equal(unlike.status, 1);
  assert.match(unlike.out, new RegExp(`row ${row.position} has bytes that do not match its hash`));
  set.run(forged, sha256Hex(forged), row.position);
  db.close();
  const unsigned = await sampai("log", "verify", "--dir", copy);
  assert.equal(unsigned.status, 1);
  assert.match(unsigned.out, new RegExp(`row ${row.position} is not signed by the workspace`));
});

test("`log verify` names a certificate that is listed as another one, or not at all", async () => {
  const copy = await newFolder();
  await cp(dir, copy, { recursive: true });
  const db = new DatabaseSync(databaseFile(copy));
  const { position } = db.prepare("select min(position) as position from day_certificate").get() as {
    position: number;
  };
  db.prepare("update day_certificate set number = 99 where position = ?").run(position);
  const listed = await sampai("log", "verify", "--dir", copy);
  assert.equal(listed.status, 1);
  assert.match(listed.out, new RegExp(`^days: row ${position} is listed as another certificate than it is`, "m"));
  db.prepare("delete from day_certificate where position = ?").run(position);
  db.close();
  const unlisted = await sampai("log", "verify", "--dir", copy);
  assert.equal(unlisted.status, 1);
  assert.match(unlisted.out, new RegExp(`^days: row ${position} is a certificate and is not listed as one`, "m"));
});
