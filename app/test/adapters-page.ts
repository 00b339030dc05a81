// What the adapters' test runs inside a page of Chromium.
import { createCanvasPictures } from "@sampai/engine/adapters/canvas-pictures";
import { openIndexedDbFiles } from "@sampai/engine/adapters/indexeddb-files";
import { openIndexedDbStorage } from "@sampai/engine/adapters/indexeddb-storage";

const inPage = {
  /** Commits entry after entry and says each one that is durable, until the page dies. */
  commitForEver: async (said: (committed: number) => void) => {
    const storage = await openIndexedDbStorage("crash");
    for (let number = 1; ; number += 1) {
      await storage.commit([
        { key: `n/${String(number).padStart(8, "0")}`, value: new Uint8Array(500).fill(number % 251) },
        { key: "last", value: new TextEncoder().encode(String(number)) },
      ]);
      said(number);
    }
  },
  readBack: async () => {
    const storage = await openIndexedDbStorage("crash");
    const last = await storage.get("last");
    const entries = await storage.range("n/");
    return {
      last: last === undefined ? 0 : Number(new TextDecoder().decode(last)),
      whole: entries.every(({ value }, index) => value.length === 500 && value[0] === (index + 1) % 251),
      entries: entries.length,
    };
  },
  writeTwice: async () => {
    const files = await openIndexedDbFiles("files");
    await files.write("photos/a.jpg", new Uint8Array([1]));
    const second = await files.write("photos/a.jpg", new Uint8Array([2])).then(
      () => "written",
      () => "refused",
    );
    return { second, kept: [...((await files.read("photos/a.jpg")) ?? [])] };
  },
  encode: async (base64: string, longestEdge: number) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const picture = await createCanvasPictures().encode(bytes, { longestEdge, quality: 80 });
    if (picture === null) return null;
    const grey = await createCanvasPictures().grey(picture.bytes, 2, 2);
    return {
      width: picture.width,
      height: picture.height,
      base64: btoa(String.fromCharCode(...picture.bytes)),
      grey: grey === null ? null : [...grey],
    };
  },
};

export type InPage = typeof inPage;
Object.assign(globalThis, { inPage });
