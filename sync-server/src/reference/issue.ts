import { assert, packBytes, packContentHash, sha256Hex, type Pack } from "@sampai/engine";
import { packMessage } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import type { Writer } from "../database/writer.ts";
import { forgottenPeople } from "../devices/forgotten.ts";
import type { PackRow } from "./operations.ts";
import type { StoredPacks } from "./stored-packs.ts";

/** A phone may name a higher pack than we hold after a restore; beyond this it is not believed. */
const BELIEVED_AHEAD = 1_000;

/** Signs with the workspace's root key. */
export interface PackSigner {
  readonly sign: (message: Uint8Array) => Uint8Array;
}

export interface IssueDeps {
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly packs: StoredPacks;
  readonly workspace: PackSigner;
  /** RFC 3339 UTC. */
  readonly now: string;
}

export interface Issued {
  readonly number: number;
  readonly sha256: string;
  /** False where the pack in force says the same already: nothing was written. */
  readonly isNew: boolean;
}

/**
 * Issues what `content` makes of the pack in force as the next pack, signed by the root key, with its people, of whom
 * nobody was forgotten. Content that says nothing new makes no new pack.
 */
export async function issuePack(
  deps: IssueDeps,
  content: (inForce: Pack | null) => Omit<Pack, "number" | "issuedAt">,
  detail: Readonly<Record<string, unknown>>,
): Promise<Issued> {
  const { packs, writer, workspace, now } = deps;
  // Another import can come in between; its pack is then what this one builds on.
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const inForce = packs.newest();
    // Asked anew each time: whoever is forgotten meanwhile is in no pack that comes after.
    const forgotten = forgottenPeople(deps.db);
    const said = content(inForce);
    const people = said.people.filter(({ code }) => !forgotten.has(code));
    const pack: Pack = { ...said, people, number: nextNumber(deps), issuedAt: now };
    if (inForce !== null && packContentHash(inForce) === packContentHash(pack)) {
      const row = packs.row(inForce.number);
      assert(row !== undefined, "the pack in force is stored");
      return { number: inForce.number, sha256: row.sha256, isNew: false };
    }
    const row = signedRow(pack, workspace);
    const after = inForce?.number ?? null;
    if (await writer.run("issuePack", { pack: row, after, people, detail })) {
      return { number: pack.number, sha256: row.sha256, isNew: true };
    }
  }
  throw new Error("ten other imports came in between");
}

/** A pack as the relay keeps it. */
export function signedRow(pack: Pack, workspace: PackSigner): PackRow {
  const bytes = packBytes(pack);
  const sha256 = sha256Hex(bytes);
  const signature = Buffer.from(workspace.sign(packMessage(sha256))).toString("hex");
  return { number: pack.number, sha256, signature, contentHash: packContentHash(pack), issued: pack.issuedAt, bytes };
}

/**
 * One above the newest pack here, and above what phones say they hold: after a restore from a backup a lost pack's
 * number must not be given to another content.
 */
function nextNumber({ db, packs }: IssueDeps): number {
  const newest = packs.newestNumber() ?? 0;
  const row = db
    .prepare("select max(cast(json_extract(claim, '$.pack') as integer)) as pack from contact where json_valid(claim)")
    .get() as { pack: number | null };
  const claimed = row.pack ?? 0;
  return 1 + (claimed <= newest + BELIEVED_AHEAD ? Math.max(newest, claimed) : newest);
}
