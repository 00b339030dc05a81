import type { Crypto } from "../core/crypto.ts";
import { concatBytes, hexToBytes } from "../core/hash.ts";
import type { Random } from "../core/random.ts";
import type { DocumentStore } from "../documents/document-store.ts";
import type { OwnEvent, OwnEvents } from "../events/own-events.ts";
import type { Identity } from "../identity.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { batchMessage, limits, type Claim } from "../wire/index.ts";
import { nextBatch, parentsFirst } from "../sync/offer.ts";
import { writeRescueFile, type RescueContent } from "./rescue-file.ts";

/** What is in a rescue file, for the person who carries it. */
export interface Rescued {
  readonly bytes: Uint8Array;
  readonly events: number;
  readonly documents: number;
  /** Photos that stay on this phone: they are listed in the file. */
  readonly photos: number;
}

export interface RescueSources {
  readonly identity: Identity;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly events: OwnEvents;
  readonly outbox: Outbox;
  readonly documents: Pick<DocumentStore, "dirty" | "unsent" | "identify">;
  readonly photosOwed: () => Claim["photosOwed"];
}

/** Bytes of events in one batch of the file: no slow link has to carry it. */
const BATCH_BYTES = 262_144;

/**
 * Everything that this phone owes, in one sealed and signed file. It needs no relay and changes nothing here: the queue
 * stays, and what was imported meanwhile is answered as known at the next contact. Works for a revoked device too.
 */
export async function rescueQueue(sources: RescueSources, madeAt: string): Promise<Rescued> {
  const { identity, crypto, random, events, outbox, documents } = sources;
  const secretKey = hexToBytes(identity.secretKey);
  const batches: RescueContent["batches"] = [];
  let queue = parentsFirst([...outbox.owed().keys()].flatMap((hash) => events.byHash(hash) ?? []));
  let count = 0;
  while (queue.length > 0) {
    const planned = nextBatch(queue, { events: limits.batchEvents, bytes: BATCH_BYTES });
    const read: { event: OwnEvent; bytes: Uint8Array }[] = [];
    for (const event of planned) {
      const bytes = await events.bytesOf(event);
      // What cannot be read cannot be carried; what follows it goes in a batch of its own.
      if (bytes === null) break;
      read.push({ event, bytes });
    }
    queue = queue.slice(Math.max(1, read.length));
    const last = read.at(-1)?.event;
    if (last === undefined) continue;
    const { run, seq, prev, hash } = last;
    const { workspace, device } = identity;
    const signature = await crypto.sign(batchMessage({ workspace, device, run, seq, prev, hash }), secretKey);
    const items = read.map(({ event, bytes }) => ({ seq: event.seq, prev: event.prev, bytes }));
    batches.push({ run, events: items, signature });
    count += read.length;
  }
  const dirty = documents.dirty().flatMap((doc) => {
    const named = documents.identify(doc);
    const unsent = documents.unsent(doc);
    if (named === undefined || unsent.length === 0) return [];
    const { kind, key } = named;
    return [{ doc, kind, key, bytes: concatBytes(...unsent.map((change) => change.bytes)) }];
  });
  const photos = sources.photosOwed().map(({ id, sha256, bytes }) => ({ id, sha256, bytes }));
  const content: RescueContent = {
    v: 1,
    workspace: identity.workspace,
    device: identity.device,
    madeAt,
    certificate: identity.certificate,
    certificateSignature: identity.certificateSignature,
    batches,
    documents: dirty,
    photos,
  };
  const keys = { secretKey, rootKey: identity.rootKey, crypto };
  const bytes = await writeRescueFile(content, keys, (length) => random.bytes(length));
  return { bytes, events: count, documents: dirty.length, photos: photos.length };
}
