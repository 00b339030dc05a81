import type { Clock } from "../core/clock.ts";
import type { Meter } from "../outbox/lanes.ts";
import { refusals, type Refusal, type RelayMessage } from "../wire/index.ts";
import type { BackOff } from "./back-off.ts";
import { refusalOfClose } from "./link-end.ts";
import type { Link, LinkEnd } from "./link.ts";
import { createLiveWire, type LiveWire } from "./live-wire.ts";
import type { OpeningPatience } from "./opening-patience.ts";
import type { Tries } from "./tries.ts";

/** A contact that ends sooner, without one acknowledgement, was of no use: a relay that fails on it would see it again at once. */
const USEFUL_MS = 1_000;

/** One connection to the relay, from the try to open it until it is ended. */
export interface Contact {
  readonly wire: LiveWire;
  /** Tells what happens from now on, until it is ended; a close that came before is told at once. */
  listen(happenings: ContactHappenings): void;
  /** The relay has answered the first claim on it. */
  join(): void;
  hasJoined(): boolean;
  /** It was ended: what is still answered on it counts for nothing. */
  isOver(): boolean;
  /** Closes it for good, and judges what it was worth. To be called once. */
  end(): void;
}

/** None of them ends the contact: whoever listens does. */
export interface ContactHappenings {
  opened(): void;
  /** The relay said, after the first claim was answered, what answers no request. */
  received(message: RelayMessage): void;
  /** The connection is gone; `why` is what the relay said of it. */
  closed(why: Refusal | null): void;
  /** It did not open in time, a request found only silence, or what comes over it cannot be read. */
  dead(): void;
}

interface ContactDeps {
  readonly link: Link;
  readonly clock: Clock;
  readonly meter: Meter;
  /** A batch of facts, `bytes` on the link, was answered after `tookMs`. */
  readonly measured?: ((bytes: number, tookMs: number) => void) | undefined;
  readonly patience: OpeningPatience;
  readonly backOff: BackOff;
  readonly tries: Tries;
}

/** Starts a connection. */
export function openContact(deps: ContactDeps): Contact {
  const { link, clock, meter, patience, backOff, tries } = deps;
  const openedMs = clock.tickMs();
  let happenings: ContactHappenings | null = null;
  let early: LinkEnd | null = null;
  let opened = false;
  /** Tick at which the relay had answered the first claim, in milliseconds; null before. */
  let joinedMs: number | null = null;
  /** A batch of facts was acknowledged on it. */
  let acknowledged = false;
  let refusal: Refusal | null = null;
  let over = false;

  const connection = link.open({
    opened: () => {
      if (over || happenings === null) return;
      cancelOpening();
      opened = true;
      patience.opened(clock.tickMs() - openedMs);
      tries.note("opened", openedMs);
      happenings.opened();
    },
    frame: (bytes) => {
      if (!over && happenings !== null) receive(bytes, happenings);
    },
    closed: (end) => {
      if (over) return;
      if (happenings === null) early = end;
      else closed(end, happenings);
    },
  });
  const wire = createLiveWire({
    connection,
    clock,
    meter,
    measured: (bytes, tookMs) => {
      acknowledged = true;
      deps.measured?.(bytes, tookMs);
    },
    onDead: () => {
      if (!over) happenings?.dead();
    },
  });
  const cancelOpening = clock.after(patience.ms(), () => {
    if (over) return;
    patience.givenUp();
    happenings?.dead();
  });

  const receive = (frame: Uint8Array, told: ContactHappenings) => {
    const message = wire.take(frame);
    if (!message.ok || message.value === null) return;
    const { value } = message;
    if (value.type === "refused") {
      const { code, detail, retryAfterMs } = value;
      // What ends no connection says nothing about the next one, such as presence at a document that has just left.
      if (refusals[code].close === null) return;
      refusal = {
        code,
        ...(detail === undefined ? {} : { detail }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
      return;
    }
    if (joinedMs !== null) told.received(value);
  };

  const closed = (end: LinkEnd, told: ContactHappenings) => told.closed(refusal ?? refusalOfClose(end));

  /** What a contact was worth decides how soon the next one is tried; one that never opened says nothing. */
  const judge = () => {
    if (!opened) return;
    const lastedMs = joinedMs === null ? 0 : clock.tickMs() - joinedMs;
    if (acknowledged || lastedMs >= USEFUL_MS) backOff.calm();
    else backOff.turnedAway();
  };

  return {
    wire,
    listen: (told) => {
      happenings = told;
      // An adapter may fail before it has even answered.
      if (early !== null) closed(early, told);
    },
    join: () => {
      joinedMs = clock.tickMs();
      tries.reached();
    },
    hasJoined: () => joinedMs !== null,
    isOver: () => over,
    end: () => {
      over = true;
      cancelOpening();
      tries.note(joinedMs === null ? "failed" : "lost", openedMs);
      judge();
      wire.end();
      connection.close();
    },
  };
}
