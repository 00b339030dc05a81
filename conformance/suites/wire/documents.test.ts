import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hostilePushes, refusalOf, type Scene } from "../../src/hostile-pushes.ts";
import type { RawWriter } from "../../src/raw-writer.ts";
import { authorOf, pushAll } from "../../src/relay-corpus.ts";
import { pushChanges, storeDocumentId, StoreMaster } from "../../src/store-masters.ts";
import { openTarget, type Target } from "../../src/target.ts";

let target: Target;
let scene: Scene;
let honest: { readonly writer: RawWriter; readonly outlet: StoreMaster };

/** A new outlet of this rep's, stored at the relay. */
async function newOutlet(writer: RawWriter): Promise<StoreMaster> {
  const outlet = StoreMaster.begin(`tmp-${writer.device}`, { ...authorOf(writer), role: "rep" });
  outlet.write([{ field: "name", value: "Kedai Baru" }]);
  await pushAll(writer, outlet, outlet.changes);
  return outlet;
}

/** What a device that does no harm does next: it is served as ever. */
async function othersGoOn(): Promise<void> {
  const { writer, outlet } = honest;
  const edit = outlet.write([{ field: "town", value: `Town ${outlet.nextSeq}` }]);
  assert.equal((await pushAll(writer, outlet, [edit])).length, 1);
}

before(async () => {
  target = await openTarget();
  const [rep, writer] = [await target.writer(), await target.writer()];
  for (const device of [rep, writer]) await device.connect();
  honest = { writer, outlet: await newOutlet(writer) };
  scene = { rep, outlet: await newOutlet(rep), foreign: honest.outlet };
});
after(async () => {
  scene.rep.close();
  honest.writer.close();
  await target.close();
});

for (const hostile of hostilePushes) {
  test(`D1 ${hostile.what} is refused with ${hostile.code}, and nothing of it is stored`, async () => {
    const { rep, outlet } = scene;
    assert.equal(await refusalOf(hostile, scene), hostile.code);
    await othersGoOn();
    const next = outlet.write([{ field: "address", value: `Jalan ${outlet.nextSeq}` }]);
    const answer = await pushChanges(rep, outlet, [next]);
    assert.deepEqual(answer?.["heads"], [outlet.head], "the next honest change stands alone on the last honest one");
  });
}

test("D2 three thousand ids that nobody made are refused one by one, and the device is served as before", async () => {
  const { rep, outlet } = scene;
  const bytes = outlet.forge([]);
  for (let index = 0; index < 3_000; index += 1) {
    const key = `nowhere-${index}`;
    const answer = await pushChanges(rep, { doc: storeDocumentId(rep.workspace, key), key }, [bytes]);
    assert.equal(answer?.["code"], "doc.unknown");
  }
  const next = outlet.write([{ field: "town", value: "Nilai" }]);
  assert.equal((await pushAll(rep, outlet, [next])).length, 1);
  await othersGoOn();
});

test("D3 deep CBOR from a device ends its own connection at most, and it is served when it comes back", async () => {
  const { rep, outlet } = scene;
  for (const opening of [0x81, 0xa1, 0xd8]) {
    const { closed, message } = await rep.sendRaw(new Uint8Array(20_000).fill(opening));
    assert.ok(closed === 4400 || message?.["code"] === "frame.malformed", `closed with ${closed}`);
    await othersGoOn();
    await rep.connect();
  }
  const next = outlet.write([{ field: "town", value: "Rembau" }]);
  assert.equal((await pushAll(rep, outlet, [next])).length, 1);
});
