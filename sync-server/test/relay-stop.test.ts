import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { openForReading } from "../src/database/connection.ts";
import { inviteRep, newFolder, sampai, serveRelay } from "./relay-process.ts";
import { enrolPhone, type TestEvent } from "./wire-phone.ts";

interface Leaf {
  readonly position: number;
  readonly hash: string;
  readonly type: string;
}

function leavesIn(dir: string): Leaf[] {
  const db = openForReading(dir);
  try {
    return db.prepare("select position, hash, type from log order by position").all() as unknown as Leaf[];
  } finally {
    db.close();
  }
}

test("a relay that stops tells every connection, commits what waits and notes it in the trail", async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  const phone = await enrolPhone(relay.url, await inviteRep(dir));
  const talk = await phone.connect();
  const status = relay.end("SIGTERM");
  const last = await talk.next();
  assert.ok(last.type === "refused" && last.code === "relay.stopping");
  assert.equal((await talk.closed).code, 1012);
  assert.equal(await status, 0);
  const db = openForReading(dir);
  assert.deepEqual(
    db
      .prepare("select topic from trail where topic like 'relay.%' order by position")
      .all()
      .map((row) => row["topic"]),
    ["relay.started", "relay.stopped"],
  );
  db.close();
});

test("phones that come back at once while a relay stops do not keep it from ending", async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  const phone = await enrolPhone(relay.url, await inviteRep(dir));
  const comesBack = async () => {
    for (let open = true; open;) {
      const talk = await phone.connect();
      open = talk.socket.readyState === talk.socket.OPEN;
      await talk.closed;
    }
  };
  const gone = (await phone.connect()).closed.then(comesBack);
  assert.equal(await relay.end("SIGTERM"), 0);
  await gone;
});

test("kill -9 in the middle of appending loses nothing acknowledged and doubles nothing, five times over", async () => {
  const dir = await newFolder();
  let relay = await serveRelay(dir);
  const phone = await enrolPhone(relay.url, await inviteRep(dir));
  const all: TestEvent[] = [];
  const acknowledged = new Map<string, number>();
  for (let life = 0; life < 5; life += 1) {
    const talk = await phone.connect(relay.url);
    // Everything not acknowledged goes out again, and then new events, several batches in flight.
    const unsure = all.filter(({ hash }) => !acknowledged.has(hash));
    const fresh = phone.events(120, { after: all.at(-1) ?? null });
    all.push(...fresh);
    const queue = [...unsure, ...fresh];
    const runs = [...Map.groupBy(queue, ({ run }) => run).values()];
    const enough = 20 + life * 17;
    let answered = 0;
    let reached: () => void = () => undefined;
    const killMoment = new Promise<void>((resolve) => (reached = resolve));
    let n = 0;
    for (const events of runs) {
      for (let from = 0; from < events.length; from += 3) {
        const batch = events.slice(from, from + 3);
        void talk.ask(phone.appendMessage((n += 1), batch)).then((answer) => {
          assert.ok(answer.type === "appended", JSON.stringify(answer));
          for (const item of answer.answers) if ("position" in item) acknowledged.set(item.hash, item.position);
          answered += answer.answers.length;
          if (answered >= enough) reached();
        });
      }
    }
    await killMoment;
    assert.equal(await relay.end("SIGKILL"), null);
    await talk.closed;
    relay = await serveRelay(dir);
  }
  const talk = await phone.connect(relay.url);
  for (const events of Map.groupBy(all, ({ run }) => run).values()) {
    for (let from = 0; from < events.length; from += 60) {
      const answer = await talk.ask(phone.appendMessage(from, events.slice(from, from + 60)));
      assert.ok(answer.type === "appended");
    }
  }
  const leaves = leavesIn(dir);
  assert.deepEqual(
    leaves.map(({ position }) => position),
    leaves.map((_, index) => index),
    "positions are gapless",
  );
  const events = leaves.filter(({ type }) => type === "event");
  assert.deepEqual(
    events.map(({ hash }) => hash),
    all.map(({ hash }) => hash),
    "each event once, in the order of its device",
  );
  for (const { position, hash } of events) {
    if (acknowledged.has(hash)) assert.equal(acknowledged.get(hash), position, "a position is given once");
  }
  assert.equal(await relay.end("SIGTERM"), 0);
});

test("a full disk is answered with storage.full, costs nothing accepted, and is over when there is room", async () => {
  const dir = await newFolder();
  const small = await serveRelay(dir, "--database-bytes", "1048576");
  const phone = await enrolPhone(small.url, await inviteRep(dir));
  const placed: TestEvent[] = [];
  let last: TestEvent | null = null;
  let refused: { code: string; retryAfterMs?: number | undefined } | null = null;
  const talk = await phone.connect();
  for (let n = 1; n < 200 && refused === null; n += 1) {
    const batch: TestEvent[] = phone.events(1, {
      after: last,
      change: (envelope) => ({ ...envelope, body: "x".repeat(30_000) }),
    });
    const answer = await talk.ask(phone.appendMessage(n, batch));
    if (answer.type === "refused") refused = answer;
    else placed.push(...batch);
    last = batch.at(-1) ?? null;
  }
  assert.equal(refused?.code, "storage.full");
  assert.ok((refused?.retryAfterMs ?? 0) > 0);
  assert.ok(placed.length > 5);
  assert.equal((await fetch(`${small.url}/healthz`)).status, 200);
  assert.equal(await small.end("SIGTERM"), 0);

  const roomy = await serveRelay(dir);
  const again = await phone.connect(roomy.url);
  const answer = await again.ask(phone.appendMessage(1, [last as TestEvent]));
  assert.ok(answer.type === "appended" && answer.answers[0]?.answer === "placed");
  const hashes = leavesIn(dir)
    .filter(({ type }) => type === "event")
    .map(({ hash }) => hash);
  assert.deepEqual(
    hashes,
    [...placed, last].map((event) => event?.hash),
  );
  await roomy.end("SIGKILL");
});

test("an unreadable configuration is a sentence with its code, and status 2", async () => {
  const dir = await newFolder();
  await writeFile(path.join(dir, "config.json"), "{");
  const torn = await sampai("serve", "--dir", dir);
  assert.equal(torn.status, 2);
  assert.match(torn.err, /^config\.unreadable: /);
  await writeFile(path.join(dir, "config.json"), '{"port":"many"}');
  const wrong = await sampai("serve", "--dir", dir);
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /^config\.invalid: .*port/);
});

test("a workspace file that cannot be read stops the start instead of making a new key", async () => {
  const dir = await newFolder();
  await writeFile(path.join(dir, "workspace.json"), "{}");
  const { status, err } = await sampai("serve", "--dir", dir);
  assert.equal(status, 2);
  assert.match(err, /^workspace\.unreadable: /);
});

test("a command that does not exist or lacks its option ends with status 2 and help", async () => {
  const unknown = await sampai("fly");
  assert.equal(unknown.status, 2);
  assert.match(unknown.out, /serve/);
  const lacking = await sampai("serve");
  assert.equal(lacking.status, 2);
  assert.match(lacking.err, /--dir is needed/);
});
