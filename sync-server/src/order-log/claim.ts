import type { Claim, Tip } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import { weigh, type Evidence } from "./evidence.ts";
import { giveBack, type GivenBack } from "./give-back.ts";
import type { DeviceLog, LogTransaction } from "./log-transaction.ts";
import { lostRanges, termSpans, type TermSpan } from "./terms.ts";

/** What of a device's claim concerns the order log. */
export interface LogClaim extends Pick<Claim, "tips" | "voided"> {
  readonly device: string;
  /** What in the claim was verified as promised by this relay. */
  readonly evidence: readonly Evidence[];
  /** For the id of a term, should one have to begin: 16 hexadecimal digits of their own for each claim. */
  readonly nonce: string;
}

export interface LogClaimAnswer extends Standing {
  readonly term: string;
  /** The next position. */
  readonly head: number;
  readonly terms: readonly TermSpan[];
  /** A new term began with this claim. */
  readonly raised: boolean;
}

/** What the log knows of a device, as an answer to the tips that it claims. */
export interface Standing {
  readonly tips: readonly Tip[];
  readonly wants: readonly string[];
  /** Declared holes that nothing has filled. */
  readonly holes: readonly string[];
  /** Events of the device, any run, that its claim does not cover. */
  readonly give: readonly GivenBack[];
}

/** Takes a claim: evidence first, because all that is answered is said in the term that it may raise. */
export function takeClaim(log: LogTransaction, claim: LogClaim): LogClaimAnswer {
  const { device, tips, voided, evidence, nonce } = claim;
  const raised = evidence.filter((one, index) => weigh(log, one, nonceOf(nonce, index), "claim") !== null);
  noteVoided(log, device, voided ?? []);
  const standing = takeTips(log.device(device), tips);
  return { ...standing, term: log.term, head: log.head(), terms: termSpans(log.terms), raised: raised.length > 0 };
}

/** Takes the tips that a device claims: what is not here is expected from now on. A union, never an overwrite. */
export function takeTips(device: DeviceLog, claimed: readonly Tip[]): Standing {
  for (const tip of claimed) {
    if (device.positionOf(tip.hash) === undefined && !device.isHole(tip.hash)) device.expect(tip);
  }
  return {
    tips: device.tips(),
    wants: device.wants(),
    holes: device.openHoles(),
    give: giveBack(device, claimed),
  };
}

/** Keeps what the device holds receipts for at lost positions, and of those only. */
function noteVoided(log: LogTransaction, device: string, voided: NonNullable<Claim["voided"]>): void {
  if (voided.length === 0) return;
  const lost = new Map(lostRanges(log.terms).map((range) => [range.term, range]));
  for (const { term, events } of voided) {
    const range = lost.get(term);
    if (range === undefined) continue;
    for (const [position, hash] of events) {
      if (position >= range.from && position < range.until) log.terms.noteVoided({ term, position, hash, device });
    }
  }
}

/** Terms raised by one claim need different names. */
const nonceOf = (nonce: string, index: number) =>
  index === 0 ? nonce : createHash("sha256").update(`${nonce} ${index}`).digest("hex").slice(0, 16);
