import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import sharp from "sharp";
import { build } from "vite";
import type { InPage } from "./adapters-page.ts";
import { startChromiumOn } from "./chromium.ts";

declare const inPage: InPage;

const ADDRESS = "http://localhost/adapters.html";

let folder: string;
let script: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-adapters-"));
  await build({
    configFile: false,
    logLevel: "silent",
    build: {
      outDir: path.join(folder, "built"),
      target: "es2022",
      lib: { entry: path.join(import.meta.dirname, "adapters-page.ts"), formats: ["es"], fileName: "page" },
    },
  });
  script = await readFile(path.join(folder, "built/page.js"), "utf8");
});

after(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.route("http://localhost/**", (route) =>
    route.fulfill({ contentType: "text/html", body: `<!doctype html><script type="module">${script}</script>` }),
  );
  await page.goto(ADDRESS);
  return page;
}

test("every commit that IndexedDB said was durable is whole after the browser crashed in the middle of the next one", async () => {
  const profile = path.join(folder, "crash");
  const context = await startChromiumOn(profile);
  const page = await openPage(context);
  let committed = 0;
  const enough = new Promise<void>((resolve) => {
    void page.exposeFunction("said", (number: number) => {
      committed = number;
      if (number === 150) resolve();
    });
  });
  await page.waitForFunction(() => "said" in globalThis);
  void page
    .evaluate(() => inPage.commitForEver((globalThis as unknown as { said: (number: number) => void }).said))
    .catch(() => undefined);
  await enough;
  const closed = new Promise<void>((resolve) => context.once("close", () => resolve()));
  const control = await context.browser()?.newBrowserCDPSession();
  const crashing = control?.send("Browser.crash").catch(() => undefined);
  await Promise.all([closed, crashing]);

  const again = await startChromiumOn(profile);
  const found = await (await openPage(again)).evaluate(() => inPage.readBack());
  await again.close();
  assert.ok(found.last >= committed, `${committed} were durable, ${found.last} are there`);
  assert.deepEqual(found, { last: found.last, whole: true, entries: found.last });
});

test("a file in the browser is written once, and pictures come out upright, small and without private metadata", async () => {
  const context = await startChromiumOn(path.join(folder, "pictures"));
  const page = await openPage(context);
  assert.deepEqual(await page.evaluate(() => inPage.writeTwice()), { second: "refused", kept: [1] });

  // Wide, dark on its left; the camera says: turn it a quarter clockwise. Upright it is tall, and dark on its top.
  const dark = await sharp({ create: { width: 400, height: 400, channels: 3, background: "#000" } })
    .png()
    .toBuffer();
  const sideways = await sharp({ create: { width: 800, height: 400, channels: 3, background: "#fff" } })
    .composite([{ input: dark, left: 0, top: 0 }])
    .withExif({ IFD0: { Copyright: "private", Model: "a phone" } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  const picture = await page.evaluate(([base64]) => inPage.encode(base64 ?? "", 200), [sideways.toString("base64")]);
  assert.ok(picture !== null);
  assert.deepEqual([picture.width, picture.height], [100, 200]);
  const [topLeft = 255, topRight = 255, bottomLeft = 0, bottomRight = 0] = picture.grey ?? [];
  assert.ok(topLeft < 40 && topRight < 40 && bottomLeft > 215 && bottomRight > 215, String(picture.grey));
  const encoded = Buffer.from(picture.base64, "base64");
  const metadata = await sharp(encoded).metadata();
  assert.equal(metadata.format, "jpeg");
  assert.equal(metadata.exif, undefined);
  assert.ok(!encoded.includes("private"));

  assert.equal(await page.evaluate(([text]) => inPage.encode(text ?? "", 200), [btoa("not a picture")]), null);
  await context.close();
});
