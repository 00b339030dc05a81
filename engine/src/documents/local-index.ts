import { z } from "zod";
import { bytesToHex, sha256Bytes, sha256Hex, utf8ToBytes } from "../core/hash.ts";
import { feedCursorSchema, type FeedCursor } from "../wire/messages.ts";
import type { DocumentKind, FieldEdit, NeedsYou, Scalar } from "./documents.ts";
import { isDocumentKind } from "./kinds.ts";

/** Where everything about documents stands in the device's storage. */
export const keys = {
  index: "doc-index/",
  unsent: "doc-unsent/",
  needs: "doc-needs/",
  cursor: "doc-cursor",
  digest: "doc-digest",
  content: (doc: string) => `doc/${doc}/`,
  /** `c`: changes, `s`: snapshots, `q`: quarantined bytes that a person may want to look at. */
  chunk: (doc: string, name: string) => `doc/${doc}/${name}`,
  entry: (doc: string) => `doc-index/${doc}`,
  unsentOf: (doc: string) => `doc-unsent/${doc}/`,
  unsentAt: (doc: string, number: number) => `doc-unsent/${doc}/${String(number).padStart(12, "0")}`,
  need: (doc: string, number: number) => `doc-needs/${doc}/${String(number).padStart(12, "0")}`,
} as const;

/** Names a chunk by its content, so that the same bytes are kept once. */
export const chunkName = (type: "c" | "s" | "q", bytes: Uint8Array): string =>
  `${type}/${sha256Hex(bytes).slice(0, 24)}`;

/** A document of which nothing is here yet. */
export function emptyEntry(kind: DocumentKind, key: string): Entry {
  return {
    kind,
    key,
    summary: {},
    heads: [],
    chunks: [],
    quarantined: [],
    stale: false,
    doubted: false,
    hidden: false,
  };
}

/** Not a union of schemas: a start reads a dozen scalars for each of hundreds of documents. */
const scalar = z.custom<Scalar>(
  (value) => value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean",
);

const entrySchema = z.object({
  kind: z.string().refine((kind): kind is DocumentKind => isDocumentKind(kind)),
  key: z.string(),
  summary: z.record(z.string(), scalar),
  /** Heads when it was last loaded: what a load must find again. */
  heads: z.array(z.string()),
  /** Every chunk that belongs to it, by name: a load must find them all. */
  chunks: z.array(z.string()),
  quarantined: z.array(z.string()),
  /** Bytes came while it was not loaded: the summary is older than the content. */
  stale: z.boolean(),
  /** Its content is doubted and must be compared with the relay's. */
  doubted: z.boolean(),
  /** It left this device's territory and waits, unseen, for its unsent edits to be stored or refused. */
  hidden: z.boolean(),
});

/** One row of the summary index: all that is known of a document without loading it. */
export interface Entry {
  readonly kind: DocumentKind;
  readonly key: string;
  readonly summary: Readonly<Record<string, Scalar>>;
  readonly heads: readonly string[];
  readonly chunks: readonly string[];
  readonly quarantined: readonly string[];
  readonly stale: boolean;
  readonly doubted: boolean;
  readonly hidden: boolean;
}

const editSchema = z.union([
  z.strictObject({ field: z.string(), key: z.string().optional(), set: scalar }),
  z.strictObject({ field: z.string(), key: z.string().optional(), increment: z.number() }),
  z.strictObject({
    field: z.string(),
    key: z.string().optional(),
    at: z.number(),
    remove: z.number(),
    insert: z.string(),
  }),
]) as unknown as z.ZodType<FieldEdit>;

const unsentSchema = z.object({
  kind: z.string().refine((kind): kind is DocumentKind => isDocumentKind(kind)),
  key: z.string(),
  number: z.int(),
  hashes: z.array(z.string()),
  bytes: z.string(),
  at: z.string(),
  edits: z.array(editSchema),
});

/** A change made here and not known to be at the relay: its bytes, and the commands behind it for a replay. */
export interface Unsent {
  /** Said again here, so that an unsent change outlives the loss of its document's row in the index. */
  readonly kind: DocumentKind;
  readonly key: string;
  readonly number: number;
  readonly hashes: readonly string[];
  readonly bytes: Uint8Array;
  /** RFC 3339 UTC of the edit. */
  readonly at: string;
  readonly edits: readonly FieldEdit[];
}

/** Unsent changes count up from here, so that a repair can put one before the first. */
export const FIRST_NUMBER = 1_000_000;

const needSchema = z.object({
  doc: z.string(),
  kind: z.string().refine((kind): kind is DocumentKind => isDocumentKind(kind)),
  key: z.string(),
  edit: editSchema,
  code: z.string(),
  sentence: z.string(),
  at: z.string(),
});

const encode = (value: unknown): Uint8Array => utf8ToBytes(JSON.stringify(value));

export const encodeEntry = (entry: Entry): Uint8Array => encode(entry);
export const decodeEntry = (bytes: Uint8Array): Entry | null => decode(entrySchema, bytes);
export const encodeNeed = (need: NeedsYou): Uint8Array => encode(need);
export const decodeNeed = (bytes: Uint8Array): NeedsYou | null => decode(needSchema, bytes);
export const encodeCursor = (cursor: FeedCursor): Uint8Array => encode(cursor);
export const decodeCursor = (bytes: Uint8Array): FeedCursor | null => decode(feedCursorSchema, bytes);

export function encodeUnsent(unsent: Unsent): Uint8Array {
  return encode({ ...unsent, bytes: bytesToHex(unsent.bytes) });
}
export function decodeUnsent(bytes: Uint8Array): Unsent | null {
  const read = decode(unsentSchema, bytes);
  return read === null ? null : { ...read, bytes: fromHex(read.bytes) };
}

function decode<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * A digest of which documents are here, the same for any order: the exclusive or of their ids' hashes. It is written
 * with each arrival and departure, so that a device whose index lost a row notices and asks for the whole feed again.
 */
export function toggle(digest: bigint, doc: string): bigint {
  return digest ^ BigInt(`0x${bytesToHex(sha256Bytes(utf8ToBytes(doc)).slice(0, 16))}`);
}
export const encodeDigest = (digest: bigint): Uint8Array => utf8ToBytes(digest.toString(16));
