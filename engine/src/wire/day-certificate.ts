import { z } from "zod";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const run = z.string().regex(/^[0-9a-f]{16}$/);
const utc = z.iso.datetime({ offset: false });
const device = z.string().min(1).max(60);
const count = z.int().min(0);

/** Events of one run of one device, both ends included. */
const rangeSchema = z.strictObject({ device, run, from: z.int().min(1), to: z.int().min(1) });
export type EventRange = z.infer<typeof rangeSchema>;

/** How far a day can be believed, the strictest first that applies. */
export const dayStandings = ["incomplete", "complete-except", "complete-with-holes", "complete"] as const;
export type DayStanding = (typeof dayStandings)[number];

/**
 * `closed`: the first one. `closed-again`: the day was reopened and closed once more. `arrived`: what was missing is here,
 * events or the word of a device. `given-up`: nobody waits any more for what was missing, because a device that owed it was
 * revoked or has declared it lost. `reinstated`: the revocation of a device was taken back. `late`: something of the day,
 * an event or the word that one is lost, came after it had been certified. `photos`: all owed photos are here.
 */
export const certificateReasons = [
  "closed",
  "closed-again",
  "arrived",
  "given-up",
  "reinstated",
  "late",
  "photos",
] as const;
export type CertificateReason = (typeof certificateReasons)[number];

/** Lists of a certificate name this many of a kind at the most; the counts beside them always count all. */
export const NAMED_AT_MOST = 200;

/**
 * What the relay says of one person's day, over all of that person's devices: the UTF-8 JSON is signed by the
 * workspace's root key as `sampai.day.v1` and stands in the order log as a leaf of type `certificate`. It speaks for the
 * events that the devices' claims, and the closes themselves, cover at its place in the log.
 */
export const dayCertificateSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string().max(60),
  /** The person's code, such as `R012`. */
  rep: z.string().max(60),
  /** `YYYY-MM-DD` in `zone`. */
  day: z.iso.date(),
  zone: z.string().max(60),
  term: z.string().min(1).max(60),
  /** Counts up from 1 for this person's day: the highest is the one that holds. */
  number: z.int().min(1),
  reason: z.enum(certificateReasons),
  /** What it takes the place of, null for the first. */
  restates: z.strictObject({ number: z.int().min(1), position: count, issuedAt: utc, events: count }).nullable(),
  standing: z.enum(dayStandings),
  /** Events of the day that have their place in the log, and those together with what is known to be missing or lost. The closes themselves are not counted. */
  events: z.strictObject({ here: count, declared: count }),
  /** Photos by their originals. `lost` ones are among the owed: the phone says that they will never come. */
  photos: z.strictObject({ captured: count, owed: count, lost: count, ids: z.array(z.string().max(60)) }),
  /** Each `day.closed` of the day, in the order of the log, with how many events and photos the phone itself counted. */
  closes: z
    .array(
      z.strictObject({
        device,
        run,
        seq: z.int().min(1),
        hash,
        position: count,
        at: utc,
        counted: z.strictObject({ events: count, photos: count }),
      }),
    )
    .min(1),
  /** The devices it speaks for: when each last said what it holds, and the ends of its chains that are here. */
  devices: z.array(
    z.strictObject({
      device,
      claimedAt: utc.nullable(),
      damaged: count,
      heads: z.array(z.strictObject({ run, seq: z.int().min(1), hash })),
    }),
  ),
  /** What devices have said they hold and the relay does not. */
  missing: z.array(rangeSchema),
  /** What devices have declared that they cannot read any more. */
  holes: z.array(rangeSchema),
  /** Records that a device cannot read and does not know the names of, new since its last day. */
  damaged: z.array(z.strictObject({ device, records: z.int().min(1) })),
  /** Devices that may hold more: revoked, or not heard since the relay was restored, or never heard. */
  except: z.array(z.strictObject({ device, why: z.enum(["revoked", "unheard"]), lastContact: utc.nullable() })),
  issuedAt: utc,
});
export type DayCertificate = z.infer<typeof dayCertificateSchema>;

/** Nothing more is waited for: a later certificate of the same day can only tell of a surprise. */
export function isSettled({ standing, photos }: Pick<DayCertificate, "standing" | "photos">): boolean {
  return standing !== "incomplete" && photos.owed === photos.lost;
}
