import { sha256Hex, utcFromMs, err, ok, type Result } from "@sampai/engine/core";
import {
  appendMessageSchema,
  claimMessage,
  claimSchema,
  decodeFrame,
  encodeFrame,
  holeMessage,
  limits,
  type Claim,
  type HoleMessage,
  type PhoneMessage,
  type Refusal,
  type RelayMessage,
} from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { newestAfter } from "../proof/consistency.ts";
import { createTreeReader } from "../proof/tree-reader.ts";
import type { Route } from "../route.ts";
import { createEvidenceReader } from "./claim-evidence.ts";
import { handIn, refusalOf, whenDurable } from "./append.ts";
import { foldedFrame } from "./folded-frame.ts";
import type { Caller, Connection, RelayPart } from "./part.ts";

/** Facts on the websocket: claims, batches and declared holes of the caller's own device, and of no other. */
export function part(context: RelayContext): RelayPart {
  const { writer, orderLog, log, workspace, promises } = context;
  const evidenceReader = createEvidenceReader(workspace, promises);
  const tree = createTreeReader(context.db);
  // The next message is taken once this one is with the writer, so that order is kept and commits are shared.
  const reply = (connection: Connection, n: number, answer: Promise<Result<RelayMessage, Refusal>>) => {
    answer.then(
      (result) => {
        if (!result.ok) connection.refuse(n, result.error);
        // What a contact costs on a thin link is mostly this answer.
        else if (result.value.type === "claimed") connection.sendFrame(foldedFrame(encodeFrame(result.value)));
        else connection.send(result.value);
      },
      (error: unknown) => {
        log.error({ error: String(error) }, "a fact could not be stored");
        connection.refuse(n, { code: "relay.busy" });
      },
    );
  };
  const receive = async (connection: Connection, message: PhoneMessage) => {
    const { caller } = connection;
    if (message.type === "append") {
      const { answer } = await handIn(context, caller, message, "websocket");
      return reply(connection, message.n, answer);
    }
    if (message.type === "hole") {
      if (!(await holeVerifies(context, caller, message))) {
        return connection.refuse(message.n, { code: "batch.signature", detail: "hole" });
      }
      const { run, seq, hash } = message;
      const stored = orderLog.declareHole({ workspace: workspace.id, device: caller.device, run, seq, hash });
      return reply(
        connection,
        message.n,
        whenDurable(stored, (answer) =>
          answer === "noted" ? ok({ type: "holed", n: message.n }) : err(refusalOf(answer.refused)),
        ),
      );
    }
    if (message.type !== "claim") return;
    const claim = await readClaim(context, caller, message);
    if (!claim.ok) return connection.refuse(message.n, claim.error);
    const { evidence, checkpoints } = evidenceReader.read(claim.value);
    const nonce = randomBytes(8).toString("hex");
    const stored = writer.run("claim", { device: caller.device, claim: claim.value, proven: { evidence, nonce } });
    reply(
      connection,
      message.n,
      whenDurable(stored, (answer) => {
        if (answer.raised) restartOthers(context, connection);
        const checkpoint = newestAfter(tree, checkpoints);
        return ok({
          type: "claimed",
          n: message.n,
          term: answer.term,
          at: utcFromMs(context.clock.wallMs()),
          tips: [...answer.tips],
          wants: [...answer.wants],
          holes: [...answer.holes],
          give: answer.give.map(({ run, seq, prev, bytes, position }) => ({
            run,
            item: { seq, prev, bytes },
            position,
          })),
          head: answer.head,
          pack: context.newestPack(caller),
          terms: [...answer.terms],
          backup: answer.backup,
          ...(checkpoint === undefined ? {} : { checkpoint }),
        });
      }),
    );
  };
  return { name: "facts", handles: ["claim", "append", "hole"], receive };
}

/** A new term: every other device has to claim anew, because nothing that it was told of positions holds. */
function restartOthers({ hub, log, term }: RelayContext, own: Connection): void {
  log.warn({ term }, "a phone proved that this log is an older copy: a new term began");
  const text = "The relay was restored from a backup. What was acknowledged since is offered again.";
  for (const connection of hub.connections()) {
    if (connection === own) continue;
    connection.send({ type: "notice", topic: "term", text });
    connection.close(1012, "term");
  }
}

const backupSchema = z.strictObject({ position: z.int().min(0) });

/** The same append for background sync, scripts and rescue files: one CBOR message in, one out. */
export function routes(context: RelayContext): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/operator/backup",
      access: "operator",
      does: "Says that a verified backup holds everything before a position.",
      handle: async (c) => {
        const request = backupSchema.safeParse(await c.req.json().catch(() => undefined));
        if (!request.success) return { code: "request.malformed", detail: "position" };
        const { position } = request.data;
        const done = await context.writer.run("verifyBackup", { position, by: "operator" });
        return done ? c.json({ position }) : { code: "backup.position", detail: String(position) };
      },
    },
    {
      method: "POST",
      path: "/v1/append",
      access: "device",
      bodyBytes: limits.frameBytes,
      does: "Appends a batch of signed events, as the websocket's append does. CBOR in, CBOR out.",
      handle: async (c, caller) => {
        const message = decodeFrame(appendMessageSchema, new Uint8Array(await c.req.arrayBuffer()));
        if (!message.ok) return message.error;
        const { answer } = await handIn(context, caller as Caller, message.value, "http");
        const result = await answer;
        if (!result.ok) return result.error;
        return c.body(new Uint8Array(encodeFrame(result.value)), 200, { "content-type": "application/cbor" });
      },
    },
  ];
}

function holeVerifies(context: RelayContext, caller: Caller, hole: HoleMessage): Promise<boolean> {
  const { device, publicKey } = caller;
  return context.verify(hole.signature, holeMessage({ workspace: context.workspace.id, device, ...hole }), publicKey);
}

async function readClaim(
  context: RelayContext,
  caller: Caller,
  message: { claim: Uint8Array; signature: Uint8Array },
): Promise<Result<Claim, Refusal>> {
  if (message.claim.length > limits.claimBytes) return err({ code: "claim.malformed", detail: "too large" });
  const signed = await context.verify(message.signature, claimMessage(sha256Hex(message.claim)), caller.publicKey);
  if (!signed) return err({ code: "claim.signature" });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message.claim));
  } catch {
    return err({ code: "claim.malformed", detail: "not UTF-8 JSON" });
  }
  const claim = claimSchema.safeParse(value);
  if (!claim.success) {
    const issue = claim.error.issues[0];
    const detail = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
    return err({ code: "claim.malformed", detail: detail.slice(0, 200) });
  }
  if (claim.data.workspace !== context.workspace.id || claim.data.device !== caller.device) {
    return err({ code: "batch.workspace", detail: "claim" });
  }
  return ok(claim.data);
}
