/**
 * The wire: one websocket (subprotocol `sampai.v1`, the token as a second subprotocol `bearer.<token>`), one CBOR map a
 * frame. Requests carry `n`, a number that the phone counts up per connection; the answer carries the same `n`.
 */
import { z } from "zod";
import { limits } from "./limits.ts";
import { refusals, type RefusalCode } from "./refusals.ts";

export const PROTOCOL = "sampai.v1";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const runSchema = z.string().regex(/^[0-9a-f]{16}$/);
const run = runSchema;
const seq = z.int().min(1);
const utc = z.iso.datetime({ offset: false });
const position = z.int().min(0);
const term = z.string().min(1).max(60);
const requestNumber = z.int().min(0);
const documentId = z.string().min(20).max(40);
const documentKind = z.string().min(1).max(40);
const documentKey = z.string().min(1).max(200);
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "is not bytes");

/** Names one event by content and place: the hash decides, run and seq say where it sits. */
export const tipSchema = z.strictObject({ run, seq, hash });
export type Tip = z.infer<typeof tipSchema>;

/** Where a device is in the relay's stream of document changes. `scope` is the version of its territory. */
export const feedCursorSchema = z.strictObject({ term, position, scope: z.int().min(0) });
export type FeedCursor = z.infer<typeof feedCursorSchema>;

/** One try of the phone to send something, as its own log has it. Times in RFC 3339 UTC, `tookMs` in milliseconds. */
export const attemptSchema = z.strictObject({
  /** Counts up on this device, so that the relay takes each attempt once. */
  number: z.int().min(1),
  at: utc,
  lane: z.enum(["link", "facts", "documents", "photos"]),
  /** For facts: the run and the first and last seq that were tried. */
  run: run.optional(),
  from: seq.optional(),
  to: seq.optional(),
  /** For documents the document id, for photos the photo id. */
  item: z.string().max(200).optional(),
  bytes: z.int().min(0),
  outcome: z.enum(["acknowledged", "refused", "lost", "opened", "failed"]),
  code: z.string().max(60).optional(),
  tookMs: z.number().min(0),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** A photo that this device has taken and HQ does not hold yet. */
export const owedPhotoSchema = z.strictObject({
  id: z.uuid(),
  visit: z.uuid().nullable(),
  sha256: hash,
  bytes: z.int().min(0),
  /** Whether HQ holds the preview. */
  preview: z.boolean(),
  /** True where the file is gone or damaged on the phone: it will never come. */
  lost: z.boolean().optional(),
});

/** A signed checkpoint of the order log: a C2SP note. */
const note = z.string().min(1).max(1_000);

/**
 * What stands behind an acknowledgement: in the life that began with this start, the relay's log of this term had `size`
 * leaves on disk. Only the relay can make the keyed hash, so it knows its own promise again when its log is shorter.
 */
export const promiseSchema = z.strictObject({ term, start: run, size: z.int().min(1), mac: hash });
export type LogPromise = z.infer<typeof promiseSchema>;

/** Events that were acknowledged at positions which their term did not keep: hash by position, so that what was brought back can be told from what is lost. */
export const voidedSchema = z.strictObject({ term, events: z.array(z.tuple([position, hash])).max(500) });
export type Voided = z.infer<typeof voidedSchema>;

/** Terms of which a phone keeps what was promised; the newest ones. */
export const EVIDENCE_TERMS = 20;

/** What a phone declares on every contact, before anything else. Signed as `sampai.claim.v1`. */
export const claimSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string().max(60),
  device: z.string().max(60),
  at: utc,
  /** The last event of every run this device ever knew. */
  tips: z.array(tipSchema).max(10_000),
  /** Records that cannot be read and whose hash is not known either. */
  damaged: z.int().min(0),
  /** Highest position acknowledged in each term. */
  acks: z.array(z.strictObject({ term, position })).max(100),
  /** The highest checkpoint and the highest promise of each term: by these a relay notices that it was restored. */
  evidence: z
    .strictObject({
      checkpoints: z.array(note).max(EVIDENCE_TERMS),
      promises: z.array(promiseSchema).max(EVIDENCE_TERMS),
    })
    .optional(),
  voided: z.array(voidedSchema).max(EVIDENCE_TERMS).optional(),
  queue: z.strictObject({
    events: z.int().min(0),
    orders: z.int().min(0),
    oldestAt: utc.nullable(),
    documents: z.int().min(0),
    photos: z.int().min(0),
    photoBytes: z.int().min(0),
  }),
  photosOwed: z.array(owedPhotoSchema).max(1_000),
  dirty: z.array(documentId).max(10_000),
  cursor: feedCursorSchema.nullable(),
  pack: z.int().min(0).nullable(),
  attempts: z.array(attemptSchema).max(limits.attempts),
  spent: z.strictObject({ day: z.string().max(10), sentBytes: z.int().min(0), receivedBytes: z.int().min(0) }),
  app: z.string().max(40),
});
export type Claim = z.infer<typeof claimSchema>;

/** One event as it travels: its place is stated beside it, because its bytes may be unreadable. */
export const appendItemSchema = z.strictObject({
  seq,
  /** Hash of the event before it in this run; for seq 1 the parent's hash, or null for a device's first run. */
  prev: hash.nullable(),
  bytes,
});
export type AppendItem = z.infer<typeof appendItemSchema>;

// ---- phone → relay -------------------------------------------------------------------------------------------------

export const claimMessageSchema = z.strictObject({
  type: z.literal("claim"),
  n: requestNumber,
  /** UTF-8 JSON of a `Claim`, exactly as signed. */
  claim: bytes,
  signature: bytes,
});
export const appendMessageSchema = z.strictObject({
  type: z.literal("append"),
  n: requestNumber,
  run,
  events: z.array(appendItemSchema).min(1).max(limits.batchEvents),
  /** Over the last event, `sampai.batch.v1`; the chain of hashes covers the ones before it. */
  signature: bytes,
});
export const holeMessageSchema = z.strictObject({
  type: z.literal("hole"),
  n: requestNumber,
  run,
  seq,
  hash,
  /** Over the same three, `sampai.hole.v1`. */
  signature: bytes,
});
export const pushMessageSchema = z.strictObject({
  type: z.literal("push"),
  n: requestNumber,
  doc: documentId,
  kind: documentKind,
  key: documentKey,
  /** A piece of the concatenated Automerge change chunks; pieces of one push share `n`. */
  piece: bytes,
  more: z.boolean(),
});
export const feedMessageSchema = z.strictObject({
  type: z.literal("feed"),
  n: requestNumber,
  cursor: feedCursorSchema.nullable(),
  /** The phone can unfold bundles; without this word it gets every document by itself. */
  bundles: z.boolean().optional(),
});
/** Everything up to `cursor` is durable on the phone: the relay may advance what it knows of it. */
export const fedMessageSchema = z.strictObject({ type: z.literal("fed"), cursor: feedCursorSchema });
export const headsMessageSchema = z.strictObject({
  type: z.literal("heads"),
  n: requestNumber,
  doc: documentId,
  heads: z.array(hash).max(1_000),
});
export const presenceMessageSchema = z.strictObject({
  type: z.literal("presence"),
  doc: documentId,
  session: z.string().max(60),
  count: z.int().min(0),
  data: bytes,
});

export const phoneMessageSchema = z.discriminatedUnion("type", [
  claimMessageSchema,
  appendMessageSchema,
  holeMessageSchema,
  pushMessageSchema,
  feedMessageSchema,
  fedMessageSchema,
  headsMessageSchema,
  presenceMessageSchema,
]);
export type PhoneMessage = z.infer<typeof phoneMessageSchema>;
export type AppendMessage = z.infer<typeof appendMessageSchema>;
export type HoleMessage = z.infer<typeof holeMessageSchema>;

// ---- relay → phone -------------------------------------------------------------------------------------------------

const refusalCode = z.string().refine((code): code is RefusalCode => code in refusals);

/** What became of one event. Only `placed`, `duplicate` and `branch` acknowledge it. */
export const admissionSchema = z.discriminatedUnion("answer", [
  /** `term` is the leaf's own where that is not the message's: a duplicate may have been placed in an earlier term. */
  z.strictObject({ hash, answer: z.enum(["placed", "duplicate", "branch"]), position, term: term.optional() }),
  z.strictObject({ hash, answer: z.literal("held"), want: hash }),
  z.strictObject({ hash, answer: z.literal("quarantined"), code: refusalCode }),
]);
export type Admission = z.infer<typeof admissionSchema>;

export const claimedMessageSchema = z.strictObject({
  type: z.literal("claimed"),
  n: requestNumber,
  term,
  /** RFC 3339 UTC at the relay when it answered: the phone's clock anchor. */
  at: utc,
  /** All placed tips of this device. */
  tips: z.array(tipSchema),
  /** Hashes that the relay needs before it can place what it holds. */
  wants: z.array(hash),
  /** Declared holes of this device that are not filled, by hash. */
  holes: z.array(hash),
  /** Events of this device that the claim does not cover. */
  give: z.array(z.strictObject({ run, item: appendItemSchema, position: position.nullable() })),
  /** Next position of the order log. */
  head: position,
  /** Number of the newest reference pack for this device, null where there is none yet. */
  pack: z.int().min(0).nullable(),
  /** Every term of this log, oldest first. Its receipts hold before `end`, where the logs parted; null: it goes on. */
  terms: z.array(z.strictObject({ term, start: position, end: position.nullable() })).optional(),
  /**
   * The newest signed checkpoint; `consistency` (RFC 6962) proves that it goes on from the claim's checkpoint `from`, the
   * highest of those that this log holds; null where it holds none of them.
   */
  checkpoint: z
    .strictObject({
      note,
      from: z.strictObject({ term, size: z.int().min(1) }).nullable(),
      consistency: z.array(bytes).max(130),
    })
    .optional(),
  /** Everything before this position is in a backup that was verified; null where none was. */
  backup: z.strictObject({ term, position }).nullable().optional(),
});
export const appendedMessageSchema = z.strictObject({
  type: z.literal("appended"),
  n: requestNumber,
  term,
  answers: z.array(admissionSchema),
  promise: promiseSchema.optional(),
});
export const holedMessageSchema = z.strictObject({ type: z.literal("holed"), n: requestNumber });
export const pushedMessageSchema = z.strictObject({
  type: z.literal("pushed"),
  n: requestNumber,
  doc: documentId,
  /** Positions in the relay's stream of document changes, one for each stored change. */
  stored: z.array(position),
  heads: z.array(hash),
  missing: z.array(hash),
  refused: z.array(z.strictObject({ hash, code: refusalCode, detail: z.string().optional() })),
});
export const changesItemSchema = z.strictObject({
  doc: documentId,
  kind: documentKind,
  key: documentKey,
  position,
  /** Automerge chunks as stored; `snapshot` says that they are a whole document. */
  bytes,
  snapshot: z.boolean(),
});
export type ChangesItem = z.infer<typeof changesItemSchema>;
/** Whole documents that go to the same people, folded together once and sent as they are to each: `unfoldBundle`. */
export const bundleSchema = z.strictObject({
  deflated: bytes,
  length: z.int().min(0).max(limits.frameBytes),
  words: z.int().optional(),
});
export type Bundle = z.infer<typeof bundleSchema>;
/** A whole document in a bundle. Its id is that of its kind and key. */
export const bundledDocumentSchema = z.strictObject({ kind: documentKind, key: documentKey, position, bytes });
export type BundledDocument = z.infer<typeof bundledDocumentSchema>;
export const changesMessageSchema = z.strictObject({
  type: z.literal("changes"),
  /** The feed request it answers; null for a live change. */
  n: requestNumber.nullable(),
  /** Comes before the items, which hold what was changed in it since it was folded. */
  bundle: bundleSchema.optional(),
  items: z.array(changesItemSchema),
  /** Documents that left this device's territory. */
  leave: z.array(documentId),
  /** Where the device stands once all items are durable on it. */
  cursor: feedCursorSchema,
  /** True when more frames follow before the catch-up is complete. */
  more: z.boolean(),
});
export const repairMessageSchema = z.strictObject({
  type: z.literal("repair"),
  n: requestNumber,
  doc: documentId,
  bytes,
  snapshot: z.boolean(),
  heads: z.array(hash),
  missing: z.array(hash),
});
export const packMessageSchema = z.strictObject({
  type: z.literal("pack"),
  number: z.int().min(0),
  sha256: hash,
});
export const noticeMessageSchema = z.strictObject({
  type: z.literal("notice"),
  topic: z.enum(["revoked", "returned", "term", "refused", "photo"]),
  text: z.string().max(2_000),
  item: z.string().max(200).optional(),
});
/** A day certificate of this device's person, as it was signed: when it is issued, to every device that is connected. */
export const certificateMessageSchema = z.strictObject({
  type: z.literal("certificate"),
  /** UTF-8 JSON of a `DayCertificate`. */
  certificate: bytes,
  /** By the workspace's root key, as `sampai.day.v1`. */
  signature: bytes,
  /** Its place in the order log. */
  position,
});
export const refusedMessageSchema = z.strictObject({
  type: z.literal("refused"),
  /** The request that was refused; null where the frame could not be read. */
  n: requestNumber.nullable(),
  code: refusalCode,
  detail: z.string().optional(),
  retryAfterMs: z.int().min(0).optional(),
});
export const presentMessageSchema = z.strictObject({
  type: z.literal("present"),
  doc: documentId,
  device: z.string(),
  by: z.string(),
  role: z.string(),
  session: z.string().max(60),
  count: z.int().min(0),
  data: bytes,
});

export const relayMessageSchema = z.discriminatedUnion("type", [
  claimedMessageSchema,
  appendedMessageSchema,
  holedMessageSchema,
  pushedMessageSchema,
  changesMessageSchema,
  repairMessageSchema,
  packMessageSchema,
  noticeMessageSchema,
  certificateMessageSchema,
  refusedMessageSchema,
  presentMessageSchema,
]);
export type RelayMessage = z.infer<typeof relayMessageSchema>;
export type ClaimedMessage = z.infer<typeof claimedMessageSchema>;

// ---- enrolment, by HTTP --------------------------------------------------------------------------------------------

export const roleSchema = z.enum(["rep", "supervisor", "hq"]);
export type Role = z.infer<typeof roleSchema>;

/** What the workspace's root key says of a device. Signed as `sampai.certificate.v1` over this JSON, as written. */
export const certificateSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  device: z.string(),
  /** Hexadecimal Ed25519 public key. */
  publicKey: z.string().regex(/^[0-9a-f]{64}$/),
  /** Whose device it is: the person's code, such as `R012`. */
  rep: z.string(),
  role: roleSchema,
  issuedAt: utc,
});
export type Certificate = z.infer<typeof certificateSchema>;

export const enrolRequestSchema = z.strictObject({
  code: z.string().min(1).max(200),
  publicKey: z.string().max(200),
  platform: z.string().max(100),
});
export const enrolAnswerSchema = z.strictObject({
  token: z.string(),
  certificate: z.string(),
  certificateSignature: z.string(),
  rootKey: z.string(),
  name: z.string(),
  zone: z.string(),
});
export type EnrolAnswer = z.infer<typeof enrolAnswerSchema>;

/** What a device sends that was enrolled once and is not known any more, because the relay was restored. */
export const enrolAgainSchema = z.strictObject({
  certificate: z.string().max(2_000),
  /** Hexadecimal, by the root key, `sampai.certificate.v1`. */
  certificateSignature: z.string().max(200),
  platform: z.string().max(100),
  /** SHA-256 of the token that the device goes on using, hexadecimal. */
  tokenHash: hash,
  /** Hexadecimal, by the device's key, `sampai.enrol-again.v1`. */
  signature: z.string().max(200),
});
