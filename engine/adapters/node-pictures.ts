import sharp from "sharp";
import type { Pictures } from "../src/photos/photos.ts";

/** A camera's picture has at most this many pixels; a header that claims more is a trap for memory. */
const MOST_PIXELS = 100_000_000;

/** Pictures by libvips, for phones without a screen. */
export function createNodePictures(): Pictures {
  const open = (bytes: Uint8Array) => sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: "error" }).autoOrient();
  return {
    encode: async (bytes, { longestEdge, quality }) => {
      try {
        // What is transparent becomes white, as JPEG knows no transparency; metadata is left behind by default.
        const { data, info } = await open(bytes)
          .resize({ width: longestEdge, height: longestEdge, fit: "inside", withoutEnlargement: true })
          .flatten({ background: "#fff" })
          .jpeg({ quality })
          .toBuffer({ resolveWithObject: true });
        return { bytes: new Uint8Array(data), width: info.width, height: info.height };
      } catch {
        return null;
      }
    },
    grey: async (bytes, width, height) => {
      try {
        const pixels = await open(bytes)
          .flatten({ background: "#fff" })
          .resize({ width, height, fit: "fill" })
          .greyscale()
          .raw()
          .toBuffer();
        return new Uint8Array(pixels);
      } catch {
        return null;
      }
    },
  };
}
