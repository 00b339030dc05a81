import { packContentHash, packSchema, sha256Hex } from "@sampai/engine";
import { packMessage } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import { isSignedBy } from "../signatures/ed25519.ts";
import type { PackRow } from "./operations.ts";

/** Every pack: bytes that the workspace's root key signed, of the number, date and content that its row says. */
export function verifyPacks(
  db: DatabaseSync,
  workspace: { readonly id: string; readonly rootKey: string },
): { readonly pack: number; readonly what: string } | { readonly packs: number } {
  const after = db.prepare(
    `select number, sha256, signature, content_hash as contentHash, issued, bytes from pack
       where number > ? order by number limit 1`,
  );
  let packs = 0;
  for (let last = 0; ; packs += 1) {
    // One at a time: a pack can be megabytes long.
    const row = after.get(last) as PackRow | undefined;
    if (row === undefined) return { packs };
    const what = faultOf(row, workspace);
    if (what !== null) return { pack: row.number, what };
    last = row.number;
  }
}

function faultOf(row: PackRow, workspace: { id: string; rootKey: string }): string | null {
  if (sha256Hex(row.bytes) !== row.sha256) return "has bytes that do not match its hash";
  if (!isSignedBy(workspace.rootKey, packMessage(row.sha256), Buffer.from(row.signature, "hex"))) {
    return "is not signed by the workspace";
  }
  const read = packSchema.safeParse(JSON.parse(new TextDecoder().decode(row.bytes)));
  if (!read.success) return "is of a form that this version cannot read";
  const { number, issuedAt, workspace: id } = read.data;
  const isSame =
    number === row.number &&
    issuedAt === row.issued &&
    id === workspace.id &&
    packContentHash(read.data) === row.contentHash;
  return isSame ? null : "says something else than its row";
}
