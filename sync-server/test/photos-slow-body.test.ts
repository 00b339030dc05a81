import assert from "node:assert/strict";
import { test } from "node:test";
import { createBodyGuard } from "../src/photos/guarded-body.ts";
import { photoLimits } from "../src/photos/limits.ts";
import { SimulatedTime } from "./simulation/simulated-time.ts";

const { slowMs, bytesPerSecond } = photoLimits;

/** A body that its sender writes as it likes, and what the relay has read of it. */
function upload() {
  const time = new SimulatedTime();
  const sent = new TransformStream<Uint8Array, Uint8Array>();
  const writer = sent.writable.getWriter();
  const init: RequestInit & { duplex: "half" } = { method: "PATCH", body: sent.readable, duplex: "half" };
  const guarded = createBodyGuard(time.clock(0), photoLimits)(new Request("http://relay/files/1", init));
  return { time, writer, read: guarded.arrayBuffer() };
}

test("P13 a body that trickles below the least rate ends there, and what had come is kept", async () => {
  const { time, writer, read } = upload();
  await writer.write(new Uint8Array(100));
  assert.ok(time.runNext(slowMs));
  assert.equal((await read).byteLength, 100);
});

test("P13 a body at the least rate is read to its end, however long it takes", async () => {
  const { time, writer, read } = upload();
  const least = (bytesPerSecond * slowMs) / 1_000;
  for (let window = 0; window < 20; window += 1) {
    await writer.write(new Uint8Array(least));
    // What was written has been read before the window is looked at.
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(time.runNext(slowMs));
  }
  await writer.close();
  assert.equal((await read).byteLength, 20 * least);
});

test("P13 a body whose link breaks ends there, and what had come is kept", async () => {
  const { writer, read } = upload();
  await writer.write(new Uint8Array(300));
  await writer.abort(new Error("connection reset"));
  assert.ok((await read).byteLength <= 300);
});
