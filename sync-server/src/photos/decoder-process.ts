// A process of its own for decoding strangers' pictures: what breaks here breaks nothing else. It gets bytes, gives
// bytes, and holds no secret.
import sharp from "sharp";

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly longestEdge: number;
  readonly mostPixels: number;
}
export interface DecodeReply {
  readonly id: number;
  /** Null where the bytes could not be decoded whole. */
  readonly jpeg: Uint8Array | null;
}

sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer"],
});

process.on("message", (request: DecodeRequest) => {
  void reencode(request).then((jpeg) => process.send?.({ id: request.id, jpeg } satisfies DecodeReply));
});
process.on("disconnect", () => process.exit());

async function reencode({ bytes, longestEdge, mostPixels }: DecodeRequest): Promise<Uint8Array | null> {
  try {
    return await sharp(bytes, { limitInputPixels: mostPixels, failOn: "truncated" })
      .autoOrient()
      .resize({ width: longestEdge, height: longestEdge, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "#fff" })
      .jpeg({ quality: 65 })
      .toBuffer();
  } catch {
    return null;
  }
}
