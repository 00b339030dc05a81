#!/usr/bin/env node
// A phone without a screen: the whole engine, driven by JSON lines.
import { createInterface } from "node:readline";
import path from "node:path";
import { parseArgs } from "node:util";
import { startAutomerge } from "../adapters/automerge.ts";
import { createSystemClock } from "../adapters/clock.ts";
import { createFetchHttp } from "../adapters/fetch-http.ts";
import { createNodeCrypto } from "../adapters/node-crypto.ts";
import { createNodeFiles } from "../adapters/node-files.ts";
import { lockFolder } from "../adapters/node-lock.ts";
import { createNodePictures } from "../adapters/node-pictures.ts";
import { createSystemRandom } from "../adapters/random.ts";
import { createTusChannel } from "../adapters/tus-upload.ts";
import { createWebSocketLink } from "../adapters/websocket-link.ts";
import {
  createEngine,
  createIds,
  enrol,
  fixedNetwork,
  identitySchema,
  openSegments,
  type Files,
  type Identity,
} from "../src/index.ts";
import { doLine, spoken } from "./phone-verbs.ts";

const HELP = `npm run phone -- --dir DIR --url URL [--token CODE]

  --dir DIR     where this phone keeps everything; made when it is not there
  --url URL     the relay, such as http://127.0.0.1:8080
  --token CODE  the one-time enrolment code; needed at the first start only

It reads one JSON object a line and answers each with one:
  {"n":1,"do":"capture","kind":"checkIn","store":"S-0481","body":{"plan":null}}
  {"n":1,"ok":true,"value":{…}}   or   {"n":1,"ok":false,"error":{"code":…,"detail":…}}
Unasked it writes {"event":"ready",…} first, then {"event":"status",…}, {"event":"acknowledged","id","position","at"}
and {"event":"certificate","sentence",…} when HQ has certified a day.

Verbs: draft, capture, photo, edit, create, view, explain, list, needs-you, status, attempts, events, photos, pack, day, rescue,
close-day, go-online, go-offline, network-changed, drain, quit. It starts offline. A kill at any time loses nothing that was
answered with ok.
`;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

function fail(code: string, detail: string, sentence: string): never {
  say({ event: "failed", error: { code, detail } });
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        dir: { type: "string" },
        url: { type: "string" },
        token: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    return fail("phone.arguments", String(error), `${String(error)}\n\n${HELP}`);
  }
}

function lockOf(folder: string) {
  try {
    return lockFolder(folder);
  } catch (error) {
    const { message } = error as Error;
    return fail("phone.folder", message, `${folder} cannot be made or used as a phone's folder: ${message}.`);
  }
}

const IDENTITY = "identity.json";

async function readIdentity(files: Files): Promise<Identity | null> {
  const bytes = await files.read(IDENTITY);
  if (bytes === undefined) return null;
  try {
    return identitySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // A kill while it was written: the device was never used.
    await files.remove(IDENTITY);
    return null;
  }
}

const { dir, url, token, help } = readArguments();
if (help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (dir === undefined || url === undefined || !URL.canParse(url)) {
  fail("phone.arguments", "--dir and --url are needed", `A phone needs --dir and --url.\n\n${HELP}`);
}
const relay = new URL(url).origin;

const lock = lockOf(dir);
if (lock === null) {
  fail(
    "phone.locked",
    dir,
    `Another process is this phone already (${dir}). Two writers would number events twice. Stop it, or use another --dir.`,
  );
}

const root = createNodeFiles(path.resolve(dir));
const crypto = createNodeCrypto();
const stored = await readIdentity(root);
let identity: Identity;
if (stored === null) {
  if (token === undefined)
    fail(
      "enrol.code",
      "--token is needed at the first start",
      "This phone is not enrolled. Give its code with --token.",
    );
  const platform = `node ${process.versions.node} ${process.platform}`;
  const http = createFetchHttp({ relay, token: null });
  const enrolled = await enrol({ relay, code: token, platform, http, crypto });
  if (!enrolled.ok) {
    const { code, detail = "" } = enrolled.error;
    fail(code, detail, `The relay did not enrol this phone (${code}). ${detail}`);
  }
  await root.write(IDENTITY, new TextEncoder().encode(JSON.stringify(enrolled.value)));
  identity = enrolled.value;
} else {
  // The relay may have moved; the device stays who it is.
  identity = { ...stored, relay };
}

performance.mark("loaded");
const clock = createSystemClock();
const random = createSystemRandom();
const [storage] = await Promise.all([openSegments(root), startAutomerge()]);
for (const { where, reason, bytes } of storage.damage) {
  if (reason !== "unfinished") process.stderr.write(`Damaged and left aside: ${where} (${reason}, ${bytes} bytes).\n`);
}
const engine = await createEngine({
  identity,
  clock,
  random,
  ids: createIds(clock, random),
  crypto,
  storage,
  files: createNodeFiles(path.join(path.resolve(dir), "pictures")),
  link: createWebSocketLink({ relay, token: identity.token }),
  http: createFetchHttp({ relay, token: identity.token }),
  pictures: createNodePictures(),
  photoChannel: createTusChannel({ relay: () => relay, token: () => identity.token }),
  network: fixedNetwork("wifi"),
  app: "sampai-phone 0.1.0",
});

const { device, rep, name, role, workspace } = identity;
say({ event: "ready", device, rep, name, role, workspace, pid: process.pid });
engine.onStatus((status) => say({ event: "status", ...status }));
engine.onAcknowledged(({ envelope, position, term }) =>
  say({ event: "acknowledged", id: envelope.id, position, term, at: new Date().toISOString() }),
);
engine.days.onCertified((held) => say({ event: "certificate", ...spoken(held) }));

let ending: Promise<never> | undefined;
const end = (): Promise<never> => (ending ??= engine.close().then(() => process.exit(0)));
process.once("SIGTERM", () => void end());
process.once("SIGINT", () => void end());

const lines = createInterface({ input: process.stdin });
lines.on("line", (text) => {
  if (text.trim() === "") return;
  void doLine(engine, text).then(({ n, verb, answer }) => {
    if (verb !== "quit") {
      say(answer.ok ? { n, ok: true, value: answer.value } : { n, ok: false, error: answer.error });
      return undefined;
    }
    return engine.close().then(() => {
      process.stdout.write(`${JSON.stringify({ n, ok: true, value: null })}\n`, () => process.exit(0));
    });
  });
});
lines.on("close", () => void end());
