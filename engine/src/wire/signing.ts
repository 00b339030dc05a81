import { utf8ToBytes } from "../core/hash.ts";

// What is signed always starts with the name of its purpose, so that no signature can be used for another.

/** The signature of a batch is over its last event; the events before it are covered by the chain of hashes. */
export function batchMessage(batch: {
  workspace: string;
  device: string;
  run: string;
  seq: number;
  prev: string | null;
  hash: string;
}): Uint8Array {
  const { workspace, device, run, seq, prev, hash } = batch;
  return utf8ToBytes(["sampai.batch.v1", workspace, device, run, seq, prev ?? "-", hash].join("\n"));
}

/** "I do not hold this event": outside the chain, idempotent. */
export function holeMessage(hole: { workspace: string; device: string; run: string; seq: number; hash: string }) {
  return utf8ToBytes(["sampai.hole.v1", hole.workspace, hole.device, hole.run, hole.seq, hole.hash].join("\n"));
}

export function claimMessage(claimHash: string): Uint8Array {
  return utf8ToBytes(`sampai.claim.v1\n${claimHash}`);
}

export function certificateMessage(certificateHash: string): Uint8Array {
  return utf8ToBytes(`sampai.certificate.v1\n${certificateHash}`);
}

/** A device that an older backup does not know shows its certificate: its key binds the token that it goes on using. */
export function enrolAgainMessage(again: { workspace: string; device: string; tokenHash: string }): Uint8Array {
  return utf8ToBytes(["sampai.enrol-again.v1", again.workspace, again.device, again.tokenHash].join("\n"));
}

/** `hash` is over the content of a rescue file. */
export function rescueMessage(rescue: { workspace: string; device: string; hash: string }): Uint8Array {
  return utf8ToBytes(["sampai.rescue.v1", rescue.workspace, rescue.device, rescue.hash].join("\n"));
}

export function packMessage(packHash: string): Uint8Array {
  return utf8ToBytes(`sampai.pack.v1\n${packHash}`);
}

/** Over the hash of a day certificate's JSON. */
export function dayMessage(certificateHash: string): Uint8Array {
  return utf8ToBytes(`sampai.day.v1\n${certificateHash}`);
}

/** Over the hash of an expiry decision's JSON. */
export function expiryMessage(decisionHash: string): Uint8Array {
  return utf8ToBytes(`sampai.expiry.v1\n${decisionHash}`);
}
