import { eventKinds, type Envelope } from "@sampai/engine";
import { dayIn } from "@sampai/engine/core";
import type { RelayMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import type { DayView } from "../../src/day/day-view.ts";
import { inviteRep, sampai } from "../relay-process.ts";
import { enrolPhone, type Conversation, type TestEvent, type WirePhone } from "../wire-phone.ts";

export const ZONE = "Asia/Kuala_Lumpur";
export const today = (): string => dayIn(Date.now(), ZONE);

/** A device of a rep that speaks the wire by hand: one run, captured now. */
export interface RepPhone {
  readonly wire: WirePhone;
  readonly talk: Conversation;
  /** Captures orders that stay here until they are sent. */
  capture(count: number, change?: (envelope: Envelope) => Envelope): TestEvent[];
  close(day: string, counted: number): TestEvent;
  send(...events: TestEvent[]): Promise<RelayMessage>;
  claim(...tips: TestEvent[]): Promise<RelayMessage>;
  declareHole(event: TestEvent): Promise<RelayMessage>;
}

export async function startRepPhone(url: string, dir: string, rep: string): Promise<RepPhone> {
  const wire = await enrolPhone(url, await inviteRep(dir, rep));
  const talk = await wire.connect();
  let n = 0;
  let last: TestEvent | null = null;
  let run: string | undefined;
  const next = () => (n += 1);
  const now = (envelope: Envelope): Envelope => {
    const at = new Date().toISOString();
    return { ...envelope, at, clock: { ...envelope.clock, tick: performance.now(), wall: at } };
  };
  const make = (count: number, change: (envelope: Envelope) => Envelope) => {
    const from = (last?.seq ?? 0) + 1;
    const events = wire.events(count, {
      from,
      after: last,
      ...(run === undefined ? {} : { run }),
      change: (envelope) => change(now(envelope)),
    });
    last = events.at(-1) ?? last;
    run = last?.run;
    return events;
  };
  return {
    wire,
    talk,
    capture: (count, change = (envelope) => envelope) => make(count, change),
    close: (day, counted) => {
      const [close] = make(1, (envelope) => ({
        ...envelope,
        kind: eventKinds.dayClosed.name,
        visit: null,
        store: null,
        body: { day, events: counted, photos: 0 },
      }));
      assert.ok(close);
      return close;
    },
    send: (...events) => talk.ask(wire.appendMessage(next(), events)),
    claim: (...tips) =>
      talk.ask(
        wire.claimMessage(
          next(),
          tips.map(({ run: of, seq, hash }) => ({ run: of, seq, hash })),
        ),
      ),
    declareHole: ({ run: of, seq, hash }) => talk.ask(wire.holeMessage(next(), { run: of, seq, hash })),
  };
}

/** The day by HTTP, as the phone asks for it. */
export async function askDay(url: string, token: string, rep: string, day: string): Promise<DayView> {
  const answer = await fetch(`${url}/v1/days/${rep}/${day}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as DayView;
}

/** The day, once it is as wished: certificates follow what they speak of by a moment. */
export async function dayOnce(
  url: string,
  token: string,
  rep: string,
  day: string,
  wished: (view: DayView) => boolean,
): Promise<DayView> {
  let view = await askDay(url, token, rep, day);
  while (!wished(view)) view = await askDay(url, token, rep, day);
  return view;
}

export async function dayCommand(dir: string, rep: string): Promise<{ status: number | null; out: string }> {
  const { status, out, err } = await sampai("day", "--dir", dir, "--rep", rep);
  return { status, out: out + err };
}
