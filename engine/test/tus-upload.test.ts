import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { createTusChannel } from "../adapters/tus-upload.ts";
import type { PhotoTransferEnd, PhotoUpload } from "../src/index.ts";

const PIECE_BYTES = 16_384;
const PATH = "/files/1";
const photo = new Uint8Array(randomBytes(100_000));

/** A relay's uploads in memory: one upload, whose bytes outlive the addresses at which it is served. */
function upload() {
  const held: Uint8Array[] = [];
  const bytes = () => Buffer.concat(held);
  const tokens = new Set<string>();
  return {
    bytes,
    tokens,
    /** Serves it at another address, as long as `may` says; then every connection is dropped. */
    serve: async (context: TestContext, may: () => boolean) => {
      const answer = async (request: IncomingMessage, response: ServerResponse) => {
        tokens.add(request.headers.authorization ?? "");
        if (!may()) {
          request.socket.destroy();
          return;
        }
        response.setHeader("Tus-Resumable", "1.0.0");
        const body = await buffer(request);
        if (request.method !== "HEAD") {
          const from = request.method === "POST" ? 0 : Number(request.headers["upload-offset"]);
          assert.equal(from, bytes().length, "a byte was sent again, or left out");
          held.push(body);
          if (request.method === "POST") response.setHeader("Location", PATH);
        }
        response.setHeader("Upload-Offset", bytes().length);
        response.setHeader("Upload-Length", photo.length);
        response.statusCode = { POST: 201, HEAD: 200 }[request.method ?? ""] ?? 204;
        response.end();
      };
      return listen(context, (request, response) => void answer(request, response));
    },
  };
}

async function listen(context: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends over a channel whose link is always free. */
function send(
  at: { relay: string; token: string },
  path: string | null,
  told: Partial<Pick<PhotoUpload, "created" | "resumed" | "acknowledged" | "spent">> = {},
): Promise<PhotoTransferEnd> {
  const channel = createTusChannel({ relay: () => at.relay, token: () => at.token });
  return channel.send({
    bytes: photo,
    metadata: { photo: "p", part: "original", sha256: "s" },
    path,
    pieceBytes: () => PIECE_BYTES,
    enter: () => Promise.resolve(() => undefined),
    created: () => undefined,
    resumed: () => undefined,
    acknowledged: () => undefined,
    spent: () => undefined,
    ...told,
  }).ended;
}

test("P16 an upload goes on at another address and with another token, from the first byte that was not acknowledged", async (context) => {
  const uploads = upload();
  let path: string | null = null;
  let acknowledged = 0;
  const relay = await uploads.serve(context, () => uploads.bytes().length < 40_000);
  const first = await send({ relay, token: "old" }, null, {
    created: (made) => (path = made),
    acknowledged: (offset) => (acknowledged = offset),
  });
  assert.deepEqual([first.end, path], ["lost", PATH]);
  assert.equal(acknowledged, uploads.bytes().length);
  let resumedAt = 0;
  const moved = await uploads.serve(context, () => true);
  const second = await send({ relay: moved, token: "new" }, PATH, { resumed: (offset) => (resumedAt = offset) });
  assert.equal(second.end, "complete");
  assert.equal(resumedAt, acknowledged);
  assert.deepEqual(new Uint8Array(uploads.bytes()), photo);
  assert.deepEqual([...uploads.tokens], ["Bearer old", "Bearer new"]);
});

test("P12 an upload whose address the relay no longer knows is gone, and begun anew by the lane", async (context) => {
  for (const status of [404, 410]) {
    const relay = await listen(context, (_request, response) => {
      response.setHeader("Tus-Resumable", "1.0.0");
      response.statusCode = status;
      response.end();
    });
    assert.deepEqual(await send({ relay, token: "t" }, PATH), { end: "gone" });
  }
});

test("P35 the page of a captive portal is no answer of the relay: nothing counts as sent, refused or gone", async (context) => {
  for (const status of [200, 302, 403, 404, 502]) {
    const relay = await listen(context, (request, response) => {
      request.resume();
      response.statusCode = status;
      response.setHeader("Location", "/login");
      response.setHeader("Content-Type", "text/html");
      response.end("<html>Sign in to the Wi-Fi</html>");
    });
    for (const path of [null, PATH])
      assert.deepEqual(await send({ relay, token: "t" }, path), { end: "lost" }, `${status} at ${path}`);
  }
});

test("P35 a refusal comes with its code and with how long to wait", async (context) => {
  const relay = await listen(context, (request, response) => {
    request.resume();
    response.setHeader("Tus-Resumable", "1.0.0");
    response.setHeader("Retry-After", "60");
    response.setHeader("Content-Type", "application/problem+json");
    response.statusCode = 507;
    response.end(JSON.stringify({ code: "storage.full" }));
  });
  assert.deepEqual(await send({ relay, token: "t" }, null), {
    end: "refused",
    refusal: { code: "storage.full" },
    retryAfterMs: 60_000,
  });
});
