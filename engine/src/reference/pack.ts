import { z } from "zod";
import { roleSchema } from "../wire/messages.ts";

const label = z.strictObject({ en: z.string().max(200), ms: z.string().max(200) });
const code = z.string().min(1).max(60);

export const goodSchema = z.strictObject({
  sku: z.string().min(1).max(40),
  name: z.string().min(1).max(200),
  unit: z.string().min(1).max(40),
  group: z.string().max(100),
  category: z.string().max(100),
  /** List price of one unit in integer sen. */
  priceSen: z.int().min(0).max(1_000_000_000),
  /** True where nobody published this price: it was seeded so that the workspace can be tried out. */
  priceMadeUp: z.boolean(),
  /** A line of more units than this is looked at by a person; absent: the rule's own bound. */
  maxQuantity: z.int().min(1).max(1_000_000).optional(),
});
export type Good = z.infer<typeof goodSchema>;

export const questionSchema = z.strictObject({
  id: code,
  label,
  type: z.enum(["integer", "boolean", "text", "choice"]),
  options: z.array(z.strictObject({ value: code, label })).max(50),
  required: z.boolean(),
});
export type Question = z.infer<typeof questionSchema>;

export const formSchema = z.strictObject({
  form: code,
  version: z.int().min(1),
  title: label,
  questions: z.array(questionSchema).max(100),
});
export type Form = z.infer<typeof formSchema>;

/** A trade scheme: from `fromQuantity` units on, one unit of `sku` costs `unitPriceSen`. */
export const schemeSchema = z.strictObject({
  scheme: z.string().min(1).max(40),
  sku: z.string().min(1).max(40),
  fromQuantity: z.int().min(1),
  unitPriceSen: z.int().min(0),
  from: z.iso.date(),
  to: z.iso.date(),
});
export type Scheme = z.infer<typeof schemeSchema>;

export const personSchema = z.strictObject({
  code,
  name: z.string().min(1).max(200),
  role: roleSchema,
  /** Territory codes; `*` is the whole workspace. */
  territories: z.array(code).max(200),
});
export type Person = z.infer<typeof personSchema>;

/** What a failed rule does: `annotate` marks, `hold-proof` holds the visit's proof, `hold-order` asks before picking. */
export const consequenceSchema = z.enum(["annotate", "hold-proof", "hold-order"]);
export type Consequence = z.infer<typeof consequenceSchema>;

/** What a policy may keep of a photo's EXIF: when and with which make of camera it was taken. Nothing else can be named. */
export const keptExif = ["capturedAt", "camera"] as const;
export type KeptExif = (typeof keptExif)[number];

/** A reference pack's content: numbered, hashed and signed as a whole; a device swaps whole packs. */
export const packSchema = z.strictObject({
  v: z.literal(1),
  workspace: code,
  number: z.int().min(1),
  /** RFC 3339 UTC. */
  issuedAt: z.iso.datetime({ offset: false }),
  /** IANA zone in which days are cut. */
  zone: z.string().max(60),
  goods: z.array(goodSchema).max(20_000),
  schemes: z.array(schemeSchema).max(20_000),
  forms: z.array(formSchema).max(200),
  people: z.array(personSchema).max(20_000),
  territories: z.array(z.strictObject({ code, name: z.string().max(200) })).max(5_000),
  holidays: z.array(z.strictObject({ date: z.iso.date(), name: z.string().max(200) })).max(1_000),
  rules: z.strictObject({
    /** Document kind → field → name of its conflict rule; absent fields follow their schema. */
    conflicts: z.record(z.string(), z.record(z.string(), z.string())),
    /** Policy or detector name → what it does when it fails. */
    consequences: z.record(z.string(), consequenceSchema),
  }),
  photo: z.strictObject({
    longestEdge: z.int().min(320).max(8_192),
    /** JPEG quality 1–100. */
    quality: z.int().min(1).max(100),
    /** Bytes an original should not exceed: quality gives way to reach it. 400,000 where absent. */
    targetBytes: z.int().min(20_000).max(15_728_640).optional(),
    previewEdge: z.int().min(64).max(1_024),
    /** Originals wait for Wi-Fi; previews and facts never do. */
    originalsOnWifiOnly: z.boolean(),
    /** Bytes of photos a day on mobile data. */
    mobileBytesPerDay: z.int().min(0),
    /** What of the taken picture's EXIF stays with its original. Nothing where absent. */
    keepExif: z.array(z.enum(keptExif)).max(keptExif.length).optional(),
  }),
});
export type Pack = z.infer<typeof packSchema>;
