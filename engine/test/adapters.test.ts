import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { createSystemClock } from "../adapters/clock.ts";
import { createNobleCrypto } from "../adapters/crypto.ts";
import { createFetchHttp } from "../adapters/fetch-http.ts";
import { createNodeCrypto } from "../adapters/node-crypto.ts";
import { createNodeFiles } from "../adapters/node-files.ts";
import { lockFolder } from "../adapters/node-lock.ts";
import * as nodeSha256 from "../adapters/node-sha256.ts";
import { createSystemRandom } from "../adapters/random.ts";
import { createWebSocketLink } from "../adapters/websocket-link.ts";
import { createMemoryFiles, type Files, type LinkEnd } from "../src/index.ts";
import { bytesToHex, hexToBytes } from "../src/core/hash.ts";
import * as plainSha256 from "../src/core/sha256.ts";

const folder = () => mkdtemp(path.join(tmpdir(), "sampai-adapters-"));
const cryptos = { "plain JavaScript": createNobleCrypto(createSystemRandom()), "node:crypto": createNodeCrypto() };

for (const [name, crypto] of Object.entries(cryptos)) {
  test(`${name} signs as RFC 8032's third test vector says`, async () => {
    const secretKey = hexToBytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    const publicKey = hexToBytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    const signature = await crypto.sign(hexToBytes("af82"), secretKey);
    assert.equal(
      bytesToHex(signature),
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
    assert.equal(await crypto.verify(signature, hexToBytes("af82"), publicKey), true);
  });

  test(`${name} answers false, and throws nothing, for malformed keys and signatures`, async () => {
    const { secretKey, publicKey } = await crypto.generateKeyPair();
    const message = new Uint8Array([1, 2, 3]);
    const signature = await crypto.sign(message, secretKey);
    assert.equal(await crypto.verify(signature, new Uint8Array([1, 2, 4]), publicKey), false);
    assert.equal(await crypto.verify(signature.subarray(1), message, publicKey), false);
    assert.equal(await crypto.verify(signature, message, new Uint8Array(3)), false);
    assert.equal(await crypto.verify(signature, message, new Uint8Array(32).fill(255)), false);
  });
}

test("SHA-256 is the same by node:crypto and by plain JavaScript, whatever the length", () => {
  for (let length = 0; length < 300; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 256);
    assert.deepEqual(nodeSha256.sha256Bytes(bytes), plainSha256.sha256Bytes(bytes));
    assert.equal(nodeSha256.sha256Hex(bytes), plainSha256.sha256Hex(bytes));
  }
});

test("a signature made by one implementation verifies by the other", async () => {
  const [noble, node] = [cryptos["plain JavaScript"], cryptos["node:crypto"]];
  const message = new TextEncoder().encode("an order");
  for (const [signer, verifier] of [
    [noble, node],
    [node, noble],
  ] as const) {
    const { secretKey, publicKey } = await signer.generateKeyPair();
    assert.equal(await verifier.verify(await signer.sign(message, secretKey), message, publicKey), true);
  }
});

const fileSystems: Record<string, () => Promise<Files>> = {
  memory: async () => createMemoryFiles(),
  "node:fs": async () => createNodeFiles(await folder()),
};
for (const [name, make] of Object.entries(fileSystems)) {
  test(`files in ${name} are written once, read, listed and removed`, async () => {
    const files = await make();
    assert.deepEqual(await files.list("a"), []);
    assert.equal(await files.read("a/1.bin"), undefined);
    await files.write("a/1.bin", new Uint8Array([1, 2]));
    await files.write("a/b/2.bin", new Uint8Array());
    assert.deepEqual(await files.list("a"), ["1.bin"]);
    assert.deepEqual(await files.read("a/1.bin"), new Uint8Array([1, 2]));
    await assert.rejects(files.write("a/1.bin", new Uint8Array([3])));
    assert.deepEqual(await files.read("a/1.bin"), new Uint8Array([1, 2]));
    await files.remove("a/1.bin");
    await files.remove("a/1.bin");
    assert.deepEqual(await files.list("a"), []);
    assert.deepEqual(await files.read("a/b/2.bin"), new Uint8Array());
  });
}

test("files in node:fs cannot be reached outside their root", async () => {
  const root = await folder();
  await writeFile(path.join(root, "secret.bin"), "secret");
  const files = createNodeFiles(path.join(root, "inside"));
  await assert.rejects(files.read("../secret.bin"), /outside/);
  await assert.rejects(files.write("../other.bin", new Uint8Array()), /outside/);
  assert.equal(await readFile(path.join(root, "secret.bin"), "utf8"), "secret");
});

test("a folder is locked for one writer until it lets go", async () => {
  const dir = await folder();
  const first = lockFolder(dir);
  assert.ok(first !== null);
  assert.equal(lockFolder(dir), null);
  first.release();
  const second = lockFolder(dir);
  assert.ok(second !== null);
  second.release();
});

test("the system clock's ticks never go back and a cancelled wait never runs", async () => {
  const clock = createSystemClock();
  let ran = 0;
  const cancel = clock.after(0, () => (ran += 1));
  cancel();
  cancel();
  const before = clock.tickMs();
  await new Promise<void>((resolve) => clock.after(1, resolve));
  assert.ok(clock.tickMs() >= before);
  assert.equal(ran, 0);
});

test("HTTP carries the token, and every way to get no answer is status 0", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/echo" }).end();
    else if (request.url === "/silent") return;
    else response.writeHead(207, { "X-Seen": request.headers.authorization ?? "none" }).end("hello");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const http = createFetchHttp({ relay, token: "t1" });
  const answer = await http.request({ method: "POST", path: "/echo", body: new Uint8Array([1]), timeoutMs: 5_000 });
  assert.equal(answer.status, 207);
  assert.equal(answer.headers["x-seen"], "Bearer t1");
  assert.equal(new TextDecoder().decode(answer.body), "hello");
  assert.equal((await http.request({ method: "GET", path: "/moved", timeoutMs: 5_000 })).status, 0);
  assert.equal((await http.request({ method: "GET", path: "/silent", timeoutMs: 20 })).status, 0);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal((await http.request({ method: "GET", path: "/echo", timeoutMs: 5_000 })).status, 0);
});

test("a link that cannot be opened says so once, and closing it settles at once although nobody answers", async () => {
  // A server that takes the TCP connection and then says nothing, as a dead network does.
  const server = createServer();
  const sockets = new Set<Duplex>();
  server.on("upgrade", (_request, socket: Duplex) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const silent: LinkEnd[] = [];
  const link = createWebSocketLink({ relay: `http://127.0.0.1:${port}`, token: "t" });
  const connection = link.open({ opened: () => {}, frame: () => {}, closed: (end) => silent.push(end) });
  connection.close();
  assert.deepEqual(silent, [{ code: 1000, reason: "closed here" }]);
  connection.send(new Uint8Array([1]));
  server.closeAllConnections();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  const ends = await new Promise<LinkEnd>((resolve) => {
    link.open({ opened: () => {}, frame: () => {}, closed: resolve });
  });
  assert.equal(ends.code, 1006);
  assert.equal(silent.length, 1);
});

test("a folder stays locked when nobody refers to the lock any more and the garbage is collected", async () => {
  const held = await folder();
  const holder = spawn(
    process.execPath,
    [
      "--expose-gc",
      "--input-type=module",
      "--eval",
      `import { lockFolder } from ${JSON.stringify(new URL("../adapters/node-lock.ts", import.meta.url).href)};
       lockFolder(${JSON.stringify(held)});
       await new Promise((resolve) => setImmediate(resolve));
       for (let round = 0; round < 5; round += 1) { globalThis.gc(); await new Promise((resolve) => setImmediate(resolve)); }
       console.log("collected");
       process.stdin.resume();`,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  await once(holder.stdout, "data");
  const second = lockFolder(held);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  assert.equal(second, null);
  const mine = lockFolder(held);
  assert.notEqual(mine, null);
  mine?.release();
  await rm(held, { recursive: true, force: true });
});
