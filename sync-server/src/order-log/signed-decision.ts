import { sha256Hex } from "@sampai/engine/core";
import { expiryMessage } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import { isSignedBy } from "../signatures/ed25519.ts";
import { expiryDecisionSchema, type ExpiryDecision } from "./expiry-decision.ts";

/** The decision at a position of the order log, or null where none stands there as the root key (hexadecimal) signed it. */
export function signedDecision(db: DatabaseSync, rootKey: string, position: number): ExpiryDecision | null {
  const leaf = db
    .prepare("select hash, bytes, signature from log where position = ? and type = 'expiry'")
    .get(position) as { hash: string; bytes: Uint8Array; signature: Uint8Array | null } | undefined;
  if (leaf === undefined || leaf.signature === null || sha256Hex(leaf.bytes) !== leaf.hash) return null;
  if (!isSignedBy(rootKey, expiryMessage(leaf.hash), leaf.signature)) return null;
  return expiryDecisionSchema.parse(JSON.parse(new TextDecoder().decode(leaf.bytes)));
}
