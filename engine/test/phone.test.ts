import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { identity } from "./simulated-phone.ts";

type Line = Record<string, unknown> & { ok?: boolean; value?: unknown; error?: { code: string } };

interface Phone {
  readonly child: ChildProcessWithoutNullStreams;
  ask(verb: string, input?: object): Promise<Line>;
  next(wanted: (line: Line) => boolean): Promise<Line>;
}

// Nothing listens here: these phones are offline.
const OFFLINE = "http://127.0.0.1:1";
const binary = path.join(import.meta.dirname, "../bin/phone.ts");

// A failed test must not leave a phone behind that keeps this process alive.
const children: ChildProcessWithoutNullStreams[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

function run(args: readonly string[]): Phone {
  const child = spawn(process.execPath, [binary, ...args]);
  children.push(child);
  const seen: Line[] = [];
  const waiting = new Set<() => void>();
  let ended = false;
  const wake = () => {
    for (const one of waiting) one();
  };
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    seen.push(JSON.parse(text) as Line);
    wake();
  });
  lines.on("close", () => {
    ended = true;
    wake();
  });
  const next = (wanted: (line: Line) => boolean): Promise<Line> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = seen.find(wanted);
        if (found === undefined && !ended) return;
        waiting.delete(look);
        if (found === undefined) reject(new Error("the phone ended"));
        else resolve(found);
      };
      waiting.add(look);
      look();
    });
  let n = 0;
  return {
    child,
    next,
    ask: (verb, input = {}) => {
      n += 1;
      const mine = n;
      child.stdin.write(`${JSON.stringify({ n: mine, do: verb, ...input })}\n`);
      return next((line) => line["n"] === mine);
    },
  };
}

async function enrolledFolder(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), "sampai-phone-"));
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, "identity.json"), JSON.stringify(identity));
  return dir;
}

async function start(dir: string): Promise<Phone> {
  const phone = run(["--dir", dir, "--url", OFFLINE]);
  await phone.next((line) => line["event"] === "ready");
  return phone;
}

async function failure(args: readonly string[]) {
  const phone = run(args);
  let told = "";
  phone.child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  const line = await phone.next(({ event }) => event === "failed");
  const [code] = (await once(phone.child, "exit")) as [number];
  return { code, told, error: line["error"] as { code: string } };
}

const attendance = { kind: "attendanceStarted", body: { odometerKm: null } };

test("a phone killed with kill -9 keeps every fact that it answered with ok, and goes on in a new run", async () => {
  const dir = await enrolledFolder();
  const saved: string[] = [];
  for (let life = 0; life < 3; life += 1) {
    const phone = await start(dir);
    const asked = Array.from({ length: 12 }, () => phone.ask("capture", attendance));
    // Those that the kill leaves without an answer are of no interest.
    for (const answer of asked) answer.catch(() => {});
    for (const [index, answer] of asked.entries()) {
      if (index === 4 + life) break;
      const { ok, value } = await answer;
      assert.equal(ok, true);
      saved.push((value as { envelope: { id: string } }).envelope.id);
    }
    phone.child.kill("SIGKILL");
    await once(phone.child, "exit");
  }
  const phone = await start(dir);
  const events = (await phone.ask("events")).value as { envelope: { id: string; run: string; seq: number } }[];
  const ids = new Set(events.map(({ envelope }) => envelope.id));
  for (const id of saved) assert.ok(ids.has(id));
  assert.equal(new Set(events.map(({ envelope }) => envelope.run)).size, 3);
  const status = (await phone.ask("status")).value as { link: string; queue: { events: number } };
  assert.equal(status.link, "idle");
  assert.equal(status.queue.events, events.length);
  await phone.ask("quit");
  assert.deepEqual(await once(phone.child, "exit"), [0, null]);
});

test("a folder that is a file, or lies below one, is named in a sentence", async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), "sampai-phone-")), "file");
  await writeFile(file, "");
  for (const dir of [file, path.join(file, "below")]) {
    const failed = await failure(["--dir", dir, "--url", OFFLINE]);
    assert.equal(failed.error.code, "phone.folder");
    assert.equal(failed.code, 1);
    assert.match(failed.told, /cannot be made or used as a phone's folder/);
    assert.doesNotMatch(failed.told, /\n\s+at /);
  }
});

test("a second process on the same folder is told that it is locked, and a killed one leaves no lock", async () => {
  const dir = await enrolledFolder();
  const first = await start(dir);
  const second = await failure(["--dir", dir, "--url", OFFLINE]);
  assert.equal(second.error.code, "phone.locked");
  assert.equal(second.code, 1);
  assert.match(second.told, /Another process/);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const third = await start(dir);
  third.child.stdin.end();
  assert.deepEqual(await once(third.child, "exit"), [0, null]);
});

test("bad lines get a code each and change nothing", async () => {
  const phone = await start(await enrolledFolder());
  const code = async (verb: string, input: object = {}) => (await phone.ask(verb, input)).error?.code;
  assert.equal(await code("fly"), "request.unknown");
  assert.equal(await code("toString"), "request.unknown");
  assert.equal(await code("capture", { kind: "nothing", body: {} }), "request.malformed");
  assert.equal(await code("capture", { kind: "checkIn", body: { plan: null } }), "capture.visit");
  assert.equal(await code("capture", { kind: "attendanceStarted", body: { odometerKm: "far" } }), "capture.body");
  assert.equal(await code("capture", { kind: "attendanceStarted" }), "request.malformed");
  assert.equal(await code("draft", {}), "request.malformed");
  assert.equal(await code("view", { kind: "store", key: "S-0000" }), "document.not-here");
  const photo = { file: "/nowhere.jpg", visit: identity.certificate, store: "S", purpose: "shelf" };
  assert.equal(await code("photo", photo), "request.malformed");
  phone.child.stdin.write("{\n");
  assert.equal((await phone.next((line) => line["n"] === null)).error?.code, "request.malformed");
  assert.deepEqual((await phone.ask("events")).value, []);
  await phone.ask("capture", attendance);
  assert.equal(await code("drain", { lanes: ["facts"], timeoutMs: 50 }), "drain.timeout");
  phone.child.kill("SIGTERM");
  assert.deepEqual(await once(phone.child, "exit"), [0, null]);
});

test("a phone that cannot be enrolled says why, with a code, and keeps nothing", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "sampai-phone-"));
  const noCode = await failure(["--dir", dir, "--url", OFFLINE]);
  assert.equal(noCode.error.code, "enrol.code");
  const offline = await failure(["--dir", dir, "--url", OFFLINE, "--token", "c"]);
  assert.equal(offline.error.code, "enrol.offline");
  const answers = [
    { status: 403, body: { code: "enrol.code", title: "used" }, code: "enrol.code" },
    { status: 200, body: "<html>sign in to the Wi-Fi</html>", code: "enrol.certificate" },
    {
      status: 200,
      body: {
        token: "t",
        certificate: "{}",
        certificateSignature: "00".repeat(64),
        rootKey: "00".repeat(32),
        name: "n",
        zone: "UTC",
      },
      code: "enrol.certificate",
    },
  ];
  for (const { status, body, code } of answers) {
    const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await failure(["--dir", dir, "--url", url, "--token", "c"]);
    assert.equal(refused.error.code, code);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal((await failure(["--dir", dir, "--url", "not a url"])).error.code, "phone.arguments");
  assert.equal((await failure(["--wings"])).error.code, "phone.arguments");
});

test("--help tells the verbs", async () => {
  const child = spawn(process.execPath, [binary, "--help"]);
  let told = "";
  child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
  assert.deepEqual(await once(child, "exit"), [0, null]);
  for (const verb of ["capture", "drain", "go-offline", "needs-you"]) assert.ok(told.includes(verb));
});
