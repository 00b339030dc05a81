import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { newFolder, serveRelay, type RelayProcess } from "./relay-process.ts";

let relay: RelayProcess;

before(async () => {
  const app = await newFolder();
  await mkdir(path.join(app, "assets"));
  await writeFile(path.join(app, "index.html"), "<!doctype html><title>app</title>");
  await writeFile(path.join(app, "sw.js"), "self");
  await writeFile(path.join(app, "assets/automerge-Ab12Cd34.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d));
  relay = await serveRelay(await newFolder(), "--app", app);
});
after(() => relay.end("SIGKILL"));

test("every address that a person opens gives the app's first page, asked for anew each time", async () => {
  for (const address of ["/", "/enrol", "/visit/0190"]) {
    const answer = await fetch(relay.url + address);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /<title>app/);
    assert.equal(answer.headers.get("cache-control"), "no-cache");
  }
});

test("the page may run scripts from its own address and WebAssembly, and nothing inline", async () => {
  const policy = (await fetch(relay.url)).headers.get("content-security-policy") ?? "";
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval'(;|$)/);
  assert.match(policy, /object-src 'none'/);
  assert.equal((await fetch(relay.url)).headers.get("x-content-type-options"), "nosniff");
});

test("WebAssembly has its own type, and a file named after its content is kept for ever", async () => {
  const answer = await fetch(`${relay.url}/assets/automerge-Ab12Cd34.wasm`);
  assert.equal(answer.headers.get("content-type"), "application/wasm");
  assert.match(answer.headers.get("cache-control") ?? "", /immutable/);
  assert.match((await fetch(`${relay.url}/sw.js`)).headers.get("cache-control") ?? "", /no-cache/);
});

test("a missing file or an unknown address of the relay is an error, not the app's page", async () => {
  assert.equal((await fetch(`${relay.url}/assets/gone.js`)).status, 404);
  const unknown = await fetch(`${relay.url}/v1/nothing`);
  assert.equal(unknown.status, 404);
  assert.equal(((await unknown.json()) as { code: string }).code, "request.unknown");
});

test("nothing outside the app's folder can be fetched", async () => {
  for (const address of ["/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%5c..%5cworkspace.json"]) {
    const answer = await fetch(relay.url + address);
    assert.doesNotMatch(await answer.text(), /root:|Ed25519/);
  }
});
