import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { ROOT } from "../src/relay-process.ts";

const FOLDER = path.join(ROOT, "sync-server/demo/photos");

/** The real shelf photos that came with the demo workspace, by file name. */
export async function shelfPhotos(): Promise<readonly string[]> {
  return (await readdir(FOLDER)).filter((name) => name.endsWith(".jpg")).sort();
}

/** How the phone will encode a photo before it sends it, as its reference pack says. */
export interface PhotoPolicy {
  readonly longestEdge: number;
  readonly quality: number;
}

/** What a phone's photo weighs once it is encoded by policy, and how near to it is near enough. */
const WANTED_BYTES = 300_000;
const NEAR_BYTES = 12_000;

/**
 * A photo as a phone's camera would have taken it, made from a small real one and marked as made: enlarged to 1,600
 * pixels, with as much sensor noise as it takes to weigh about 300 KB after the phone has encoded it.
 */
export async function makePhoneSizedPhoto(name: string, mark: string, policy: PhotoPolicy): Promise<Uint8Array> {
  const real = await readFile(path.join(FOLDER, name));
  const base = await sharp(real).rotate().resize({ width: 1_600, height: 1_200, fit: "cover" }).toBuffer();
  const text = `${mark} · made from a real photo for the demonstration`;
  const label = Buffer.from(
    `<svg width="1600" height="60"><rect width="1600" height="60" fill="#00000099"/><text x="20" y="42" font-size="34" fill="white" font-family="sans-serif">${text}</text></svg>`,
  );
  let low = 0;
  let high = 60;
  for (;;) {
    const sigma = (low + high) / 2;
    const noise = await sharp({
      create: {
        width: 1_600,
        height: 1_200,
        channels: 3,
        background: "#808080",
        noise: { type: "gaussian", mean: 128, sigma: Math.max(0.1, sigma) },
      },
    })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const bytes = await sharp(base)
      .composite([
        { input: noise, blend: "soft-light" },
        { input: label, gravity: "south" },
      ])
      .jpeg({ quality: 96 })
      .toBuffer();
    const sent = await sharp(bytes)
      .resize({ width: policy.longestEdge, height: policy.longestEdge, fit: "inside", withoutEnlargement: true })
      .jpeg({ quality: policy.quality })
      .toBuffer();
    if (Math.abs(sent.length - WANTED_BYTES) < NEAR_BYTES || high - low < 0.5) return new Uint8Array(bytes);
    if (sent.length < WANTED_BYTES) low = sigma;
    else high = sigma;
  }
}
