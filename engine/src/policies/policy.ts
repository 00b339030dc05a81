import type { Envelope } from "../events/event.ts";
import type { Pack } from "../reference/pack.ts";

/** A sentence for a person, in both languages of the product. */
export interface Sentence {
  readonly en: string;
  readonly ms: string;
}

/** What the judge and the phone know beside the event. Null always means *not known here*, never *clean*. */
export interface PolicyContext {
  /** The reference pack that the event pins (`seen.pack`): never a newer one. */
  readonly pack: Pack | null;
  /** The store master at the heads that the event pins (`seen.store`). */
  readonly store: StoreSeen | null;
  /** The visit that the event names, as it stood just before the event in the device's own order. */
  readonly visit: VisitSeen | null;
  /** Days (`YYYY-MM-DD` in the workspace's zone) that the rep had closed before the event. */
  readonly closedDays: ReadonlySet<string> | null;
  /** The rep's working day as it stood just before the event. */
  readonly attendance: "not-started" | "started" | "ended" | null;
}

export interface StoreSeen {
  /** The master's status field; null where nobody has set it. */
  readonly status: string | null;
  readonly creditLimitSen: number | null;
}

export interface VisitSeen {
  readonly rep: string;
  readonly store: string;
  readonly state: "open" | "closed";
}

/** What one rule says of one event. Keyed by (event, rule, version). */
export interface Verdict {
  readonly rule: string;
  readonly version: number;
  readonly verdict: "pass" | "fail" | "not-checked";
  /** The values that the rule looked at: small JSON, enough to follow the sentence. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly sentence: Sentence;
}

export type Judgement = Omit<Verdict, "rule" | "version">;

/** One business rule. Pure: the same event and context give the same verdict on a phone and at HQ. */
export interface Policy {
  readonly name: string;
  /** Raised when the rule would say something else of the same event. */
  readonly version: number;
  readonly label: Sentence;
  /** Whether the rule has anything to say of this kind of event; of others it says nothing. */
  readonly applies: (event: Envelope) => boolean;
  readonly judge: (event: Envelope, context: PolicyContext) => Judgement;
}

export const pass = (inputs: Judgement["inputs"], en: string, ms: string): Judgement => ({
  verdict: "pass",
  inputs,
  sentence: { en, ms },
});

export const fail = (inputs: Judgement["inputs"], en: string, ms: string): Judgement => ({
  verdict: "fail",
  inputs,
  sentence: { en, ms },
});

/** `missing` names what was not at hand, such as `pack 17`. */
export const notChecked = (missing: { readonly en: string; readonly ms: string }): Judgement => ({
  verdict: "not-checked",
  inputs: {},
  sentence: { en: `Not checked: ${missing.en}.`, ms: `Tidak disemak: ${missing.ms}.` },
});

export const packMissing = (event: Envelope): Judgement =>
  event.seen.pack === null
    ? notChecked({ en: "the phone had no price list yet", ms: "telefon belum ada senarai harga" })
    : notChecked({
        en: `reference pack ${event.seen.pack} is not here`,
        ms: `pek rujukan ${event.seen.pack} tiada di sini`,
      });
