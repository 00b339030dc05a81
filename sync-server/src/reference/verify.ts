import { packContentHash, packSchema, sha256Hex } from "@sampai/engine";
import { packMessage } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import type { ExpiryDecision } from "../order-log/expiry-decision.ts";
import { signedDecision } from "../order-log/signed-decision.ts";
import { isSignedBy } from "../signatures/ed25519.ts";
import { notAdmission } from "../trail/reader.ts";
import type { PackRow } from "./operations.ts";

/**
 * Every pack: bytes that the workspace's root key signed, of the number, date and content that its row says; the bytes that
 * the trail says were issued, or what signed decisions (`expired`) made of them.
 */
export function verifyPacks(
  db: DatabaseSync,
  workspace: { readonly id: string; readonly rootKey: string },
): { readonly pack: number; readonly what: string } | { readonly packs: number; readonly expired: number } {
  // A folder that no relay of this version has opened has no such decisions, and no table for them.
  const isListed = db.prepare("select 1 from sqlite_schema where name = 'expired_pack'").get() !== undefined;
  const decisionsOf =
    "select json_group_array(decision order by decision) from expired_pack where number = pack.number";
  const after = db.prepare(
    `select number, sha256, signature, content_hash as contentHash, issued, bytes,
         ${isListed ? `(${decisionsOf})` : "'[]'"} as decisions
       from pack where number > ? order by number limit 1`,
  );
  let packs = 0;
  let expired = 0;
  for (let last = 0; ; packs += 1) {
    // One at a time: a pack can be megabytes long. With its decisions, because a relay may rewrite it meanwhile.
    const row = after.get(last) as (PackRow & { readonly decisions: string }) | undefined;
    if (row === undefined) return { packs, expired };
    const decisions = (JSON.parse(row.decisions) as number[]).map((at) => signedDecision(db, workspace.rootKey, at));
    const what = faultOf(row, workspace) ?? originFault(db, row, decisions);
    if (what !== null) return { pack: row.number, what };
    if (decisions.length > 0) expired += 1;
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

/** The workspace's key signs a rewritten pack as soundly as the one that was issued; these tell them apart. */
function originFault(db: DatabaseSync, row: PackRow, decisions: readonly (ExpiryDecision | null)[]): string | null {
  const issued = db
    .prepare(
      `select json_extract(detail, '$.sha256') as sha256 from trail
         where item = ? and topic = 'import' and ${notAdmission} order by position limit 1`,
    )
    .get(`pack/${row.number}`) as { sha256: string } | undefined;
  if (issued === undefined) return "was issued without a word in the trail";
  let sha256 = issued.sha256;
  for (const decision of decisions) {
    const named = decision?.packs?.find(({ number, was }) => number === row.number && was === sha256);
    if (named === undefined) return "was rewritten by a decision that does not name it";
    sha256 = named.is;
  }
  return sha256 === row.sha256 ? null : "is not the pack that was issued, and no decision says why";
}
