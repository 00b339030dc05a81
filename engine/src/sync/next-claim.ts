import type { Clock } from "../core/clock.ts";
import type { ClaimSources } from "./claim.ts";
import type { Contact } from "./contact.ts";

/** After so long without a byte on an idle connection the phone asks. */
const IDLE_MS = 120_000;
/** A relay that was heard so lately needs no asking. */
const HEARD_MS = 5_000;
/** Claims that tell of progress keep this distance. */
const CLAIM_GAP_MS = 2_000;
/** So many untold attempts are worth a claim of their own. */
const ATTEMPTS_WAITING = 40;

/** When a contact that goes on needs another claim: because the relay is silent, or because there is news for it. */
export interface NextClaim {
  /** A claim is being made now. */
  begun(): void;
  /** It tells the relay what is owed now. */
  told(): void;
  /** It was answered: after a long silence the phone asks. */
  answered(contact: Contact): void;
  /** Claims unless the relay was heard just now. */
  doubt(contact: Contact): void;
  /** Nothing of the facts is under way any more: claims, soon, where the relay does not know how far the lanes are. */
  news(): void;
  /** The contact is over. */
  stop(): void;
}

export function createNextClaim(
  deps: Pick<ClaimSources, "outbox" | "attempts" | "elsewhere"> & {
    readonly clock: Clock;
    readonly claim: () => void;
  },
): NextClaim {
  const { clock, outbox, attempts, claim } = deps;
  let begunMs = Number.NEGATIVE_INFINITY;
  let toldDebt: readonly number[] = [0, 0, 0];
  let cancelIdle = () => {};
  let cancelNews: (() => void) | null = null;

  const debt = () => {
    const { dirty, photos } = deps.elsewhere();
    return [outbox.owed().size, dirty.length, photos];
  };

  const watch = (contact: Contact) => {
    cancelIdle();
    cancelIdle = clock.after(IDLE_MS, () => {
      if (contact.isOver()) return;
      if (clock.tickMs() - contact.wire.lastHeardMs() >= IDLE_MS) claim();
      else watch(contact);
    });
  };

  return {
    begun: () => {
      begunMs = clock.tickMs();
    },
    told: () => {
      toldDebt = debt();
    },
    answered: watch,
    doubt: (contact) => {
      if (clock.tickMs() - contact.wire.lastHeardMs() >= HEARD_MS) claim();
    },
    news: () => {
      if (cancelNews !== null) return;
      // A lane that has run empty is news: HQ's board is complete only when the phone has said so.
      const ranEmpty = debt().some((owed, lane) => owed === 0 && (toldDebt[lane] ?? 0) > 0);
      const tellsMuch = attempts.untold(ATTEMPTS_WAITING).length === ATTEMPTS_WAITING;
      if (!ranEmpty && !tellsMuch) return;
      cancelNews = clock.after(Math.max(0, begunMs + CLAIM_GAP_MS - clock.tickMs()), () => {
        cancelNews = null;
        claim();
      });
    },
    stop: () => {
      cancelIdle();
      cancelNews?.();
      cancelNews = null;
    },
  };
}
