import type { EncodedPicture, Pictures } from "../src/photos/photos.ts";

/**
 * Pictures by the browser's own decoder and encoder. Drawing on a canvas turns them upright and leaves every piece of
 * metadata behind; what is transparent becomes white, as JPEG knows no transparency.
 */
export function createCanvasPictures(): Pictures {
  return {
    encode: async (bytes, { longestEdge, quality }) => {
      const bitmap = await decode(bytes);
      if (bitmap === null) return null;
      const scale = Math.min(1, longestEdge / Math.max(bitmap.width, bitmap.height));
      const width = Math.max(1, Math.round(bitmap.width * scale));
      const height = Math.max(1, Math.round(bitmap.height * scale));
      const blob = await draw(bitmap, width, height).convertToBlob({ type: "image/jpeg", quality: quality / 100 });
      return { bytes: new Uint8Array(await blob.arrayBuffer()), width, height } satisfies EncodedPicture;
    },
    grey: async (bytes, width, height) => {
      const bitmap = await decode(bytes);
      if (bitmap === null) return null;
      const { data } = context(draw(bitmap, width, height)).getImageData(0, 0, width, height);
      const grey = new Uint8Array(width * height);
      for (let pixel = 0; pixel < grey.length; pixel += 1) {
        const [red = 0, green = 0, blue = 0] = data.subarray(pixel * 4, pixel * 4 + 3);
        // Luma of ITU-R BT.601, as JPEG itself uses.
        grey[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
      }
      return grey;
    },
  };
}

async function decode(bytes: Uint8Array): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(new Blob([bytes.slice()]), { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

function draw(bitmap: ImageBitmap, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const drawing = context(canvas);
  drawing.fillStyle = "#fff";
  drawing.fillRect(0, 0, width, height);
  drawing.imageSmoothingEnabled = true;
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return canvas;
}

function context(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const found = canvas.getContext("2d", { willReadFrequently: true });
  if (found === null) throw new Error("this browser has no canvas to draw on");
  return found;
}
