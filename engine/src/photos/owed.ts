import { z } from "zod";
import { utf8ToBytes } from "../core/hash.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import type { PhotoPart } from "./channel.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** `owed`: HQ does not hold it. `lost`: its file is gone or damaged here. `refused`: HQ does not want it. */
const partSchema = z.strictObject({
  state: z.enum(["owed", "at-hq", "refused", "lost"]),
  sha256: hash,
  bytes: z.int().min(1),
  /** Name in `Files`; null once the file was given up. */
  file: z.string().nullable(),
  /** Path of the unfinished upload at the relay. */
  path: z.string().nullable(),
  /** Bytes that the relay acknowledged. */
  offset: z.int().min(0),
  /** The relay's term in which it was verified. */
  term: z.string().nullable(),
  /** Code of the refusal. */
  refusal: z.string().nullable(),
});
export type OwedPart = z.infer<typeof partSchema>;

const recordSchema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  visit: z.string(),
  store: z.string(),
  /** RFC 3339 UTC when HQ verified the original. */
  verifiedAt: z.string().nullable(),
  preview: partSchema.nullable(),
  original: partSchema,
});
export type OwedRecord = z.infer<typeof recordSchema>;

export const newPart = (sha256: string, bytes: number, file: string): OwedPart => ({
  state: "owed",
  sha256,
  bytes,
  file,
  path: null,
  offset: 0,
  term: null,
  refusal: null,
});

/**
 * The durable manifest of photos: what HQ is owed. An entry is written in the commit of its event; what is noted later
 * (upload path, offset, state) may be lost in a crash at no price, as the relay knows it too.
 */
export interface Owed {
  /** Oldest first. */
  list(): readonly OwedRecord[];
  find(id: string): OwedRecord | undefined;
  /** The write that makes a new entry durable, for the commit of its event. */
  entry(record: OwedRecord): StorageWrite;
  /** Takes in an entry whose commit is done. */
  add(record: OwedRecord): void;
  /** Changes one part. Durable after `saved`. */
  change(id: string, part: PhotoPart, patch: Partial<OwedPart>): void;
  /** Notes when the original was verified. */
  verified(id: string, at: string): void;
  remove(id: string): void;
  /** Resolves when all changes until now are durable; answers false where the storage could not promise it. */
  saved(): Promise<boolean>;
  /** Entries that could not be read: written by a newer version. They are kept. */
  readonly unreadable: number;
}

const PREFIX = "photos/owed/";

export async function openOwed(storage: Storage): Promise<Owed> {
  const records = new Map<string, OwedRecord>();
  let unreadable = 0;
  for (const { value } of await storage.range(PREFIX)) {
    const record = readRecord(value);
    if (record === undefined) unreadable += 1;
    else records.set(record.id, record);
  }
  const dirty = new Map<string, Uint8Array | null>();
  let saving = Promise.resolve(true);
  const key = (id: string) => `${PREFIX}${id}`;
  const entry = (record: OwedRecord): StorageWrite => ({
    key: key(record.id),
    value: utf8ToBytes(JSON.stringify(record)),
  });
  const put = (record: OwedRecord) => {
    records.set(record.id, record);
    const write = entry(record);
    dirty.set(write.key, write.value);
  };
  const saveAll = async (): Promise<boolean> => {
    while (dirty.size > 0) {
      const writes = [...dirty].map(([name, value]) => ({ key: name, value }));
      dirty.clear();
      try {
        await storage.commit(writes);
      } catch {
        // Nothing is lost by it: the relay knows what it holds. The newest values go with the next commit.
        for (const write of writes) if (!dirty.has(write.key)) dirty.set(write.key, write.value);
        return false;
      }
    }
    return true;
  };
  return {
    unreadable,
    list: () => [...records.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    find: (id) => records.get(id),
    entry,
    add: (record) => {
      records.set(record.id, record);
    },
    change: (id, part, patch) => {
      const record = records.get(id);
      const before = record?.[part];
      if (record === undefined || before === undefined || before === null) return;
      put({ ...record, [part]: { ...before, ...patch } });
    },
    verified: (id, at) => {
      const record = records.get(id);
      if (record !== undefined) put({ ...record, verifiedAt: at });
    },
    remove: (id) => {
      records.delete(id);
      dirty.set(key(id), null);
    },
    saved: () => {
      saving = saving.then(saveAll);
      return saving;
    },
  };
}

function readRecord(value: Uint8Array): OwedRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(new TextDecoder().decode(value)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
