import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import { expiryMessage } from "@sampai/engine/wire";
import { issuePack, signedRow, type Issued } from "../reference/issue.ts";
import type { PackRow } from "../reference/operations.ts";
import { packIn, packsOf } from "../reference/stored-packs.ts";
import { decisionText, PACKS_AT_ONCE } from "../order-log/expiry-decision.ts";
import type { ExpiryOffice } from "./expiry.ts";

export interface LeftPacks {
  /** The pack in force afterwards, null where none was ever issued. */
  readonly pack: Issued | null;
  /** Older packs that the person was taken out of. */
  readonly packs: number;
  /** Positions of the decisions in the order log. */
  readonly decisions: readonly number[];
}

/**
 * Takes a person who is forgotten out of the reference: the next pack comes without the person at once, and the older ones
 * are written anew, the same but for the person, because followers still judge events by their prices and forms.
 */
export async function leavePacks(
  office: ExpiryOffice,
  request: { readonly person: string; readonly reason: string; readonly by: string },
): Promise<LeftPacks> {
  const { db, writer, workspace, clock } = office;
  const { person, reason, by } = request;
  const packs = packsOf(db);
  const newest = packs.newest();
  if (newest === null) return { pack: null, packs: 0, decisions: [] };
  // Phones take a number only once, so the one in force is followed by another and not rewritten under them.
  const now = new Date(clock.wallMs()).toISOString();
  const pack = await issuePack(
    { db, packs, writer, workspace, now },
    (inForce) => {
      const { number: _number, issuedAt: _issuedAt, ...content } = inForce ?? newest;
      return content;
    },
    { forgotten: person },
  );
  const decisions: number[] = [];
  let rewritten = 0;
  for (let from = 1; ;) {
    const found = packsWith(office, person, from, pack.number);
    if (found.length === 0) return { pack, packs: rewritten, decisions };
    const text = decisionText({
      v: 1,
      workspace: workspace.id,
      by,
      reason,
      about: { person },
      events: [],
      photos: [],
      packs: found.map(({ was, row }) => ({ number: row.number, was, is: row.sha256 })),
      unplaced: 0,
    });
    const signature = workspace.sign(expiryMessage(sha256Hex(utf8ToBytes(text))));
    const decision = await writer.run("rewritePacks", { text, signature, packs: found.map(({ row }) => row) });
    // Another person was forgotten in between: what stands there now is read again.
    if (decision === null) continue;
    decisions.push(decision);
    rewritten += found.length;
    from = (found.at(-1)?.row.number ?? from) + 1;
  }
}

/** The next packs before one that name the person: what each was, and what it is without the person. */
function packsWith({ db, workspace }: ExpiryOffice, person: string, from: number, before: number) {
  const found: { readonly was: string; readonly row: PackRow }[] = [];
  const numbers = db.prepare("select number from pack where number >= ? and number < ? order by number");
  for (const { number } of numbers.all(from, before) as { number: number }[]) {
    const stored = packsOf(db).row(number);
    if (stored === undefined) continue;
    const pack = packIn(stored);
    const people = pack.people.filter(({ code }) => code !== person);
    if (people.length === pack.people.length) continue;
    found.push({ was: stored.sha256, row: signedRow({ ...pack, people }, workspace) });
    if (found.length === PACKS_AT_ONCE) break;
  }
  return found;
}
