import { z } from "zod";
import { defineKind } from "./kind.ts";

/** Its id is the photo's id. The bytes come later on a channel of their own; the hash is a promise of what they are. */
export const photoCaptured = defineKind({
  name: "photo.captured.v1",
  label: { en: "Photo", ms: "Gambar" },
  inVisit: true,
  body: z.strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().min(1).max(15_728_640),
    type: z.enum(["image/jpeg", "image/png", "image/webp"]),
    width: z.int().min(1).max(20_000),
    height: z.int().min(1).max(20_000),
    /** 256-bit difference hash, 64 hexadecimal digits; null where the phone could not decode the picture. */
    dhash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    purpose: z.enum(["shelf", "storefront", "competitor", "damage", "other"]),
  }),
  golden: {
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    bytes: 301_234,
    type: "image/jpeg",
    width: 1_600,
    height: 1_200,
    dhash: null,
    purpose: "shelf",
  },
});
