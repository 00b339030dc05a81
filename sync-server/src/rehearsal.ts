import { assert, bytesToHex, ok, sha256Hex, utf8ToBytes, utcFromMs } from "@sampai/engine/core";
import { claimMessage, decodeFrame, encodeFrame, PROTOCOL, relayMessageSchema, type Claim } from "@sampai/engine/wire";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { WebSocket } from "ws";
import type { RelayContext } from "./context.ts";
import type { Writer } from "./database/writer.ts";
import { documentsOf } from "./documents/host.ts";
import { createTreeReader } from "./proof/tree-reader.ts";
import * as facts from "./relay/facts.ts";
import { foldedFrame } from "./relay/folded-frame.ts";
import { createHub } from "./relay/hub.ts";
import { createLoop } from "./relay/loop.ts";
import type { Caller, RelayPart } from "./relay/part.ts";
import type { RefusalNotes } from "./relay/refusal-notes.ts";
import { createUpgrade } from "./relay/upgrade.ts";
import { listen } from "./server.ts";

/** By then the compiler has seen everything that a contact runs through. */
const TURNS = 12;
const TURN_MS = 2_000;

/**
 * Plays contacts of a phone that lacks nothing, before the first one comes: after a restart a whole fleet comes at once,
 * and the first contact would take the processor three times as long as the others, to compile. It goes over a
 * websocket of this process with a caller who does not exist, through the relay's own upgrade, claim and feed, with a
 * writer that commits nothing. What goes wrong here is no reason not to start.
 */
export async function rehearse(context: RelayContext, notes: RefusalNotes): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const caller: Caller = {
    device: "rehearsal",
    person: "rehearsal",
    name: "",
    role: "rep",
    publicKey: bytesToHex(publicKey.export({ format: "der", type: "spki" }).subarray(-32)),
    territories: [],
  };
  const callerOf = () => ok(caller);
  const tokens = { callerOf, callerOfTicket: callerOf, makeTicket: () => ({ ticket: "", expiresMs: 0 }) };
  const alone = { ...context, writer: silentWriter(context), hub: createHub(), tokens };
  const loop = createLoop([facts.part(alone), feedPart(context, caller)], context.log);
  const upgrade = createUpgrade(alone, { hub: alone.hub, loop, tokens, notes, stock: null });
  const server = await listen({ host: "127.0.0.1", port: 0 }, () => new Response(null, { status: 404 }), upgrade);
  const signed = (message: Uint8Array) => sign(null, message, privateKey);
  try {
    for (let turn = 0; turn < TURNS; turn += 1) await contact(server.port, context, caller, signed);
  } finally {
    await server.close();
  }
  collectGarbage();
}

/** What loading the code and the registry left behind would else be collected in the middle of the first contact. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}

async function contact(
  port: number,
  context: RelayContext,
  caller: Caller,
  signed: (message: Uint8Array) => Uint8Array,
): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/sync`, [
    PROTOCOL,
    `bearer.${randomBytes(32).toString("hex")}`,
  ]);
  const signal = AbortSignal.timeout(TURN_MS);
  const answer = async () => {
    const [frame] = (await once(socket, "message", { signal })) as [Buffer];
    const read = decodeFrame(relayMessageSchema, frame);
    return read.ok ? read.value : null;
  };
  try {
    await once(socket, "open", { signal });
    const claim = utf8ToBytes(JSON.stringify(claimOf(context, caller)));
    const signature = signed(claimMessage(sha256Hex(claim)));
    const claimed = answer();
    socket.send(foldedFrame(encodeFrame({ type: "claim", n: 1, claim, signature })));
    await claimed;
    const cursor = { term: context.term, position: documentsOf(context).stored.head(), scope: 0 };
    const caughtUp = answer();
    socket.send(encodeFrame({ type: "feed", n: 2, cursor, bundles: true }));
    await caughtUp;
  } finally {
    socket.terminate();
  }
}

function claimOf({ workspace, term, db, clock }: RelayContext, { device }: Caller): Claim {
  const newest = createTreeReader(db).checkpoint();
  const at = utcFromMs(clock.wallMs());
  return {
    v: 1,
    workspace: workspace.id,
    device,
    at,
    tips: [],
    damaged: 0,
    acks: [],
    evidence: { checkpoints: newest === undefined ? [] : [newest.note], promises: [] },
    queue: { events: 0, orders: 0, oldestAt: null, documents: 0, photos: 0, photoBytes: 0 },
    photosOwed: [],
    dirty: [],
    cursor: { term, position: 0, scope: 0 },
    pack: null,
    attempts: [{ number: 1, at, lane: "link", bytes: 0, outcome: "opened", tookMs: 1 }],
    spent: { day: at.slice(0, 10), sentBytes: 0, receivedBytes: 0 },
    app: "rehearsal",
  };
}

/** Commits nothing, by the way that every commit goes, and answers a claim as a log does that knows nothing of the device. */
function silentWriter(context: RelayContext): Writer {
  const { writer } = context;
  const { term, log: head } = context.standing();
  const claimed = { tips: [], wants: [], holes: [], give: [], term, head, terms: [], raised: false, backup: null };
  return {
    ...writer,
    run: async (name) => {
      assert(name === "claim", `a rehearsal writes no ${name}`);
      await writer.run("note", { rows: [] });
      return claimed as never;
    },
  };
}

/** The feed of somebody who sees nothing: it reads, and has nothing to write down. */
function feedPart(context: RelayContext, viewer: Caller): RelayPart {
  const { feed } = documentsOf(context);
  return {
    name: "documents",
    handles: ["feed"],
    receive: (connection, message) => {
      if (message.type === "feed") feed.start(connection, viewer, message);
    },
    closed: (connection) => feed.end(connection),
  };
}
