/**
 * Every refusal that crosses the wire, in one table. `status` is for HTTP, `close` the websocket close code (null:
 * the connection stays), `retry` says whether the same bytes can succeed later without anyone changing anything.
 */
export const refusals = {
  "auth.missing": row("No token was sent.", 401, 4401, false),
  "auth.unknown": row("This token is not known here.", 401, 4401, false),
  "auth.revoked": row(
    "This device was revoked. Unsent work stays on it and can be rescued as a file.",
    403,
    4403,
    false,
  ),
  "auth.role": row("This role may not do that.", 403, null, false),
  "enrol.code": row("This enrolment link was used already, has expired or never existed.", 403, null, false),
  "enrol.certificate": row(
    "The certificate is not by this workspace, or the device's key did not sign.",
    403,
    null,
    false,
  ),
  "enrol.key": row("The public key is not an Ed25519 key of 32 bytes.", 400, null, false),
  "frame.malformed": row("The frame is not a CBOR message of this protocol.", 400, 4400, false),
  "frame.oversized": row("The frame is larger than the limit.", 413, 1009, false),
  "frame.version": row("This protocol version is not spoken here.", 426, 4426, false),
  "frame.rate": row("Too many frames at once.", 429, 4429, true),
  "batch.signature": row("The batch's signature does not verify.", 422, null, false),
  "batch.chain": row("The events of the batch are not one chain.", 422, null, false),
  "batch.workspace": row("The batch belongs to another workspace or device.", 422, null, false),
  "batch.oversized": row("The batch or one of its events is larger than the limit.", 413, null, false),
  "claim.malformed": row("The claim cannot be read.", 422, null, false),
  "claim.signature": row("The claim's signature does not verify.", 422, null, false),
  "checkpoint.unsigned": row("The relay's checkpoint is not signed by this workspace's root key.", 422, null, false),
  "checkpoint.inconsistent": row(
    "The relay's checkpoint does not go on from the one before. This phone keeps everything until one does.",
    409,
    null,
    false,
  ),
  "backup.position": row("The log does not reach to that position.", 422, null, false),
  "backup.copy": row("The copy is not whole, or not of this log.", 422, null, false),
  "doc.unknown-kind": row("There is no such kind of document.", 422, null, false),
  "doc.id": row("The document id does not belong to this kind and key.", 422, null, false),
  "doc.scope": row("This document is outside the device's territory.", 403, null, false),
  "doc.tombstone": row("This document was deleted.", 410, null, false),
  "doc.damaged": row(
    "The relay cannot read its copy of this document. Nothing is lost; an operator must look.",
    500,
    null,
    true,
  ),
  "doc.unknown": row("This document does not exist here.", 404, null, false),
  "change.oversized": row("The change is larger than the limit.", 413, null, false),
  "change.malformed": row("The bytes are not an Automerge change, or their checksum is wrong.", 422, null, false),
  "change.operations": row("The change holds more operations than the limit.", 422, null, false),
  "change.sequence": row(
    "The change does not follow its author's last one, or starts at a wrong operation.",
    422,
    null,
    false,
  ),
  "change.reference": row("The change names an object or a predecessor that is not there.", 422, null, false),
  "change.author": row("The change names an author that this device is not.", 403, null, false),
  "change.field": row("This role may not change that field.", 403, null, false),
  "change.schema": row("The value does not fit the document's schema.", 422, null, false),
  "change.shape": row(
    "The change breaks a shape rule: it deletes, overwrites an object or decrements a counter.",
    422,
    null,
    false,
  ),
  "change.time": row("The change is dated more than ten minutes ahead.", 422, null, false),
  "change.dependencies": row("The change depends on changes that the relay does not hold.", 409, null, true),
  "log.unknown": row("Nothing in the log has that offline id, hash or position.", 404, null, false),
  "log.uncovered": row("No signed checkpoint covers this event yet; one follows within a second.", 409, null, true),
  "device.unknown": row("There is no such device here.", 404, null, false),
  "device.revoked": row("The device is revoked already.", 409, null, false),
  "device.active": row("The device is not revoked.", 409, null, false),
  "day.unknown": row("There is no such person's day here.", 404, null, false),
  "person.unknown": row("Nobody of that code is known here.", 404, null, false),
  "pack.unknown": row("There is no reference pack of that number.", 404, null, false),
  "pack.signature": row("The reference pack is not signed by this workspace's root key.", 422, null, false),
  "pack.malformed": row("The reference pack cannot be read by this version.", 422, null, false),
  "pack.number": row("This is another reference pack than the one asked for.", 409, null, false),
  "import.rows": row("Files of the import hold rows that cannot be used. Nothing was written.", 422, null, false),
  "photo.unknown": row("There is no such photo.", 404, null, false),
  "photo.expired": row("This photo is kept no longer, by a decision in the order log.", 410, null, false),
  "photo.owner": row("This photo belongs to another device.", 403, null, false),
  "photo.exists": row("This photo is at HQ already.", 409, null, false),
  "photo.size": row("The photo is empty, larger than the limit, or not as long as declared.", 413, null, false),
  "photo.hash": row("The photo's bytes do not match the hash in its event.", 422, null, true),
  "photo.type": row("The bytes are not a picture of an accepted type and size.", 415, null, false),
  "photo.offset": row("The upload goes on at another byte. Ask for its offset.", 409, null, true),
  "photo.quota": row("This device's photo quota for today is used up.", 429, null, true),
  "rescue.malformed": row("This is no whole rescue file.", 422, null, false),
  "rescue.workspace": row("The rescue file is for another workspace.", 422, null, false),
  "rescue.sealed": row(
    "The rescue file cannot be opened: it was altered, cut or mixed with another.",
    422,
    null,
    false,
  ),
  "rescue.signature": row("The device that the rescue file names did not sign it.", 422, null, false),
  "storage.full": row("The relay's disk is full. Everything stays on the phone.", 507, 1013, true),
  "relay.busy": row("The relay has more work than it can take now.", 503, 1013, true),
  "relay.stopping": row("The relay is stopping or starting again.", 503, 1012, true),
  "request.malformed": row("The request cannot be read.", 400, null, false),
  "request.unknown": row("Nothing is known here by this name.", 404, null, false),
} as const;

export type RefusalCode = keyof typeof refusals;

export interface Refusal {
  readonly code: RefusalCode;
  /** What exactly was wrong with this one, for a developer or operator. Never holds a secret. */
  readonly detail?: string;
  /** When a retry makes sense, in milliseconds from now, where the relay can tell. */
  readonly retryAfterMs?: number;
}

function row(meaning: string, status: number, close: number | null, retry: boolean) {
  return { meaning, status, close, retry };
}

/** The sentence to show or log for a refusal. */
export function refusalSentence(refusal: Refusal): string {
  const { meaning } = refusals[refusal.code];
  return refusal.detail === undefined ? meaning : `${meaning} (${refusal.detail})`;
}

/** RFC 9457 body for a refusal over HTTP. */
export function problem(refusal: Refusal) {
  const { meaning, status, retry } = refusals[refusal.code];
  return {
    type: `urn:sampai:refusal:${refusal.code}`,
    title: meaning,
    status,
    code: refusal.code,
    retryable: retry,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
  };
}
