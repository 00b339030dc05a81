import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import { limits } from "@sampai/engine/wire";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import type { AppendAnswer, LogLeaf, OrderLog } from "../../src/order-log/log.ts";
import { createFieldPhone, orderBody } from "../followers/field-phone.ts";

/** Before the commit's first row · with all its rows written · with its commit durable and nobody answered. */
export const crashPoints = ["before", "inside", "committed"] as const;
export type CrashPoint = (typeof crashPoints)[number];

/** Where logs of an adapter live. */
export interface LogBed {
  /** Opens the workspace's log on what is durable in this place. Two places never share anything. */
  open(place: string, workspace: string): Promise<OpenedLog>;
  /**
   * In a process of its own: appends `answered` and resolves with what was answered; then hands in `atRisk` and dies at
   * this point of its commit.
   */
  crash(place: string, at: CrashPoint, answered: Batches, atRisk: Batches): Promise<readonly AppendAnswer[]>;
}

export interface OpenedLog {
  readonly log: OrderLog;
  enrol(device: string): Promise<void>;
  /** Taking a revocation back judges the quarantine again. */
  setRevoked(device: string, revoked: boolean): Promise<void>;
  close(): Promise<void>;
}

export type Batches = readonly { readonly device: string; readonly events: readonly PlacedCandidate[] }[];

/** What every adapter of the OrderLog port must do. Each test works in places of its own. */
export function orderLogContract(name: string, bed: LogBed): void {
  let places = 0;
  const newPlace = () => `${(places += 1)}`;
  const rule = (title: string, body: (opened: OpenedLog) => Promise<void>) => {
    test(`${name}: ${title}`, async () => {
      const opened = await bed.open(newPlace(), "w");
      await opened.enrol("d1");
      await opened.enrol("d2");
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    });
  };

  rule("positions begin at 0, have no gap, and follow the order in which batches were handed in", async ({ log }) => {
    const chains = [makeChain("a", 3), makeChain("b", 2), makeChain("c", 4)];
    const answers = await Promise.all(chains.map((events, index) => append(log, index === 1 ? "d2" : "d1", events)));
    assert.deepEqual(answers.map(positionsOf), [
      [0, 1, 2],
      [3, 4],
      [5, 6, 7, 8],
    ]);
    assert.equal(await log.head(), 9);
    const leaves = await log.read(0, 100);
    assert.deepEqual(
      leaves.map(({ position }) => position),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual(
      leaves.map(({ hash }) => hash),
      chains.flat().map(({ hash }) => hash),
    );
  });

  rule("a leaf has the bytes as they came, who sent them and where in their run they stand", async ({ log }) => {
    const [first] = makeChain("a", 1);
    assert.ok(first);
    const bytes = Uint8Array.of(0xff, 0x00, 0x22, 0x0a);
    const event = { ...first, bytes, hash: sha256Hex(bytes) };
    const answer = await append(log, "d2", [event]);
    assert.ok("term" in answer);
    const [leaf] = await log.read(0, 1);
    assert.ok(leaf);
    const { position, term, type, device, run, seq, hash, flags } = leaf;
    const said = { position, term, type, device, run, seq, hash, flags };
    const placed = { position: 0, term: answer.term, type: "event", device: "d2", run: event.run, seq: 1 };
    assert.deepEqual(said, { ...placed, hash: event.hash, flags: ["opaque"] });
    assert.deepEqual(new Uint8Array(leaf.bytes), bytes);
    assert.match(leaf.received, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  rule(
    "an event that does not number on from the one it follows is placed and marked, and so is one that waited",
    async ({ log }) => {
      const [first, second, third] = makeChain("a", 3) as [PlacedCandidate, PlacedCandidate, PlacedCandidate];
      const skipping = { ...third, seq: 7 };
      await append(log, "d1", [first]);
      assert.deepEqual(kindsOf(await append(log, "d1", [skipping])), ["held"]);
      await append(log, "d1", [{ ...second, seq: 5 }]);
      const leaves = await log.read(0, 10);
      assert.deepEqual(
        leaves.map(({ seq, flags }) => [seq, flags.includes("mismatch")]),
        [
          [1, false],
          [5, true],
          [7, true],
        ],
      );
    },
  );

  rule("a batch sees what was handed in before it, committed or not", async ({ log }) => {
    const [first, second] = makeChain("a", 2) as [PlacedCandidate, PlacedCandidate];
    const [one, two, again] = await Promise.all([
      append(log, "d1", [first]),
      append(log, "d1", [second]),
      append(log, "d1", [first, second]),
    ]);
    assert.deepEqual([kindsOf(one), kindsOf(two)], [["placed"], ["placed"]]);
    assert.deepEqual(
      [kindsOf(again), positionsOf(again)],
      [
        ["duplicate", "duplicate"],
        [0, 1],
      ],
    );
  });

  rule("the same event has one position, whenever and however often it comes", async ({ log }) => {
    const events = makeChain("a", 3);
    await append(log, "d1", events);
    await append(log, "d2", makeChain("b", 2));
    for (const part of [events, events.slice(1), events.slice(0, 2)]) {
      const again = await append(log, "d1", part);
      assert.deepEqual(
        kindsOf(again),
        part.map(() => "duplicate"),
      );
      assert.deepEqual(
        positionsOf(again),
        part.map(({ seq }) => seq - 1),
      );
    }
    assert.equal(await log.head(), 5);
  });

  rule("numbers and hashes belong to their device: another one's are no duplicates", async ({ log }) => {
    const events = makeChain("a", 2);
    assert.deepEqual(kindsOf(await append(log, "d1", events)), ["placed", "placed"]);
    assert.deepEqual(kindsOf(await append(log, "d2", events)), ["placed", "placed"]);
    assert.equal(await log.head(), 4);
  });

  rule("an event behind a gap is held across commits, and released in the commit that fills it", async ({ log }) => {
    const [first, second, third] = makeChain("a", 3) as [PlacedCandidate, PlacedCandidate, PlacedCandidate];
    const held = await append(log, "d1", [second, third]);
    assert.deepEqual(held, {
      term: "term" in held ? held.term : "",
      answers: [
        { hash: second.hash, answer: "held", want: first.hash },
        { hash: third.hash, answer: "held", want: second.hash },
      ],
    });
    assert.equal(await log.head(), 0);
    assert.deepEqual(positionsOf(await append(log, "d1", [first])), [0]);
    assert.deepEqual(
      (await log.read(0, 9)).map(({ hash }) => hash),
      [first.hash, second.hash, third.hash],
    );
  });

  rule("a declared hole has a leaf of its own, once, and lets the events behind it go", async ({ log }) => {
    const [lost, kept] = makeChain("a", 2) as [PlacedCandidate, PlacedCandidate];
    await append(log, "d1", [kept]);
    const hole = { workspace: "w", device: "d1", run: lost.run, seq: lost.seq, hash: lost.hash };
    assert.equal(await log.declareHole(hole), "noted");
    assert.equal(await log.declareHole(hole), "noted");
    const leaves = await log.read(0, 9);
    assert.deepEqual(
      leaves.map(({ type, hash }) => [type, hash]),
      [
        ["hole", lost.hash],
        ["event", kept.hash],
      ],
    );
    const late = await append(log, "d1", [lost]);
    assert.deepEqual([kindsOf(late), positionsOf(late)], [["placed"], [2]]);
    assert.ok((await log.read(2, 1))[0]?.flags.includes("late"));
  });

  rule(
    "a second event at a number is placed as a branch, and a second run after one event as a fork",
    async ({ log }) => {
      const [first] = makeChain("a", 1) as [PlacedCandidate];
      const [other] = makeChain("other a", 1, { run: first.run }) as [PlacedCandidate];
      await append(log, "d1", [first]);
      assert.deepEqual(kindsOf(await append(log, "d1", [other])), ["branch"]);
      await append(log, "d1", makeChain("b", 1, { after: first }));
      assert.deepEqual(kindsOf(await append(log, "d1", makeChain("c", 1, { after: first }))), ["placed"]);
      const flags = (await log.read(0, 9)).map((leaf) => leaf.flags.filter((flag) => flag !== "opaque"));
      assert.deepEqual(flags, [[], ["branch"], [], ["fork"]]);
    },
  );

  rule(
    "what a revoked or unknown device sends gets no position, and gets it when the device may write again",
    async (opened) => {
      const { log } = opened;
      const events = makeChain("a", 2);
      await opened.setRevoked("d1", true);
      assert.deepEqual(kindsOf(await append(log, "d1", events)), ["quarantined", "quarantined"]);
      assert.deepEqual(kindsOf(await append(log, "stranger", makeChain("s", 1))), ["quarantined"]);
      assert.equal(await log.head(), 0);
      await opened.setRevoked("d1", false);
      assert.deepEqual(
        (await log.read(0, 9)).map(({ hash }) => hash),
        events.map(({ hash }) => hash),
      );
      assert.deepEqual(kindsOf(await append(log, "d1", events)), ["duplicate", "duplicate"]);
    },
  );

  rule("a device may keep so many events waiting behind a gap, and no more", async ({ log }) => {
    const [, ...behind] = makeChain("a", limits.heldEvents + 2);
    assert.deepEqual(new Set(kindsOf(await append(log, "d1", behind.slice(0, -1)))), new Set(["held"]));
    const [other] = makeChain("b", 2).slice(1) as [PlacedCandidate];
    assert.deepEqual(await append(log, "d1", [other]), { refused: "relay.busy" });
    assert.deepEqual(kindsOf(await append(log, "d2", [other])), ["held"]);
  });

  rule("a batch that fails half way leaves nothing, and takes none of its neighbours along", async ({ log }) => {
    const [before, after] = [makeChain("a", 2), makeChain("c", 2)];
    const [first, broken] = makeChain("b", 2) as [PlacedCandidate, PlacedCandidate];
    const faulty = [first, { ...broken, bytes: 7 as unknown as Uint8Array }];
    const results = await Promise.allSettled([
      append(log, "d1", before),
      append(log, "d1", faulty),
      append(log, "d1", after),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(
      (await log.read(0, 9)).map(({ hash }) => hash),
      [...before, ...after].map(({ hash }) => hash),
    );
    assert.deepEqual(kindsOf(await append(log, "d1", [first])), ["placed"], "nothing of it was kept");
  });

  rule("pages are the whole log in order, and a page beyond its end is empty", async ({ log }) => {
    await append(log, "d1", makeChain("a", 25));
    const pages: LogLeaf[] = [];
    for (let page = await log.read(0, 7); page.length > 0; page = await log.read(pages.length, 7)) {
      assert.ok(page.length <= 7);
      pages.push(...page);
    }
    assert.deepEqual(pages, await log.read(0, 1_000));
    assert.deepEqual(await log.read(25, 7), []);
  });

  rule("a reader sees whole commits only, however it pages while batches are written", async ({ log }) => {
    const size = 5;
    const work = Promise.all(
      Array.from({ length: 60 }, (_, index) => append(log, "d1", makeChain(`run ${index}`, size))),
    );
    const isDone = { value: false };
    void work.finally(() => (isDone.value = true));
    let seen = 0;
    for (let looks = 0; !isDone.value || looks === 0; looks += 1) {
      const head = await log.head();
      assert.equal(head % size, 0, "half a batch is to be seen");
      assert.ok(head >= seen, "the log shrank");
      const page = await log.read(seen, 1_000);
      assert.equal(page.length % size, 0);
      assert.ok(page.every(({ position }, index) => position === seen + index));
      seen += page.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await work;
    assert.equal(await log.head(), 300);
  });

  rule("an event is found by its offline id, and the first one where the id was used twice", async ({ log }) => {
    const phone = createFieldPhone("d1", "R1");
    const at = "2026-11-23T07:15:14.123Z";
    const [order, next] = [1, 2].map((count) => phone.capture("orderPlaced", orderBody(count), { at }));
    assert.ok(order && next);
    const twin = createFieldPhone("d2", "R2").capture("orderPlaced", orderBody(9), { at, id: order.envelope.id });
    await append(log, "d1", [order.candidate, next.candidate]);
    await append(log, "d2", [twin.candidate]);
    assert.equal((await log.find(order.envelope.id))?.position, 0);
    assert.equal((await log.find(next.envelope.id))?.position, 1);
    assert.equal(await log.find("0190aaaa-0000-7000-8000-000000000000"), undefined);
    assert.deepEqual((await log.read(2, 1))[0]?.flags, ["id-reused"]);
  });

  rule("subscribers are told where the log ends, before anyone is answered, and only when it grew", async ({ log }) => {
    const told: number[] = [];
    const stop = log.subscribe((head) => told.push(head));
    const events = makeChain("a", 2);
    const answer = append(log, "d1", events).then(() => assert.equal(told.at(-1), 2));
    await answer;
    await append(log, "d1", events);
    assert.deepEqual(told, [2]);
    stop();
    await append(log, "d1", makeChain("b", 1));
    assert.deepEqual(told, [2]);
  });

  rule("logs of two workspaces side by side see nothing of one another", async ({ log }) => {
    const other = await bed.open(newPlace(), "v");
    await other.enrol("d1");
    const events = makeChain("a", 3);
    await append(log, "d1", events);
    assert.equal(await other.log.head(), 0);
    const answer = await other.log.append({ workspace: "v", device: "d1", events, via: "http" });
    assert.deepEqual(
      [kindsOf(answer), positionsOf(answer)],
      [
        ["placed", "placed", "placed"],
        [0, 1, 2],
      ],
    );
    assert.deepEqual([await log.head(), log.workspace, other.log.workspace], [3, "w", "v"]);
    await other.close();
  });

  rule("what is another workspace's is refused, and leaves nothing", async ({ log }) => {
    const [lost, kept] = makeChain("a", 2) as [PlacedCandidate, PlacedCandidate];
    const refused = { refused: "batch.workspace" };
    const theirs = { workspace: "v", device: "d1" };
    assert.deepEqual(await log.append({ ...theirs, events: [lost, kept], via: "http" }), refused);
    const { run, seq, hash } = lost;
    assert.deepEqual(await log.declareHole({ ...theirs, run, seq, hash }), refused);
    assert.equal(await log.head(), 0);
    assert.deepEqual(kindsOf(await append(log, "d1", [kept])), ["held"]);
  });

  test(`${name}: a log is not opened as another workspace's, and stays what it is`, async () => {
    const place = newPlace();
    const own = await bed.open(place, "w");
    await own.enrol("d1");
    await append(own.log, "d1", makeChain("a", 1));
    await own.close();
    await assert.rejects(bed.open(place, "v"));
    const again = await bed.open(place, "w");
    assert.ok((await again.log.head()) > 0);
    await again.close();
  });

  for (const at of crashPoints) {
    const outcome = at === "committed" ? "all of what was at risk is there" : "nothing of what was at risk is there";
    test(`${name}: after a crash ${titles[at]} what was answered stands where it was said, and ${outcome}`, async () => {
      const place = newPlace();
      const first = await bed.open(place, "w");
      await first.enrol("d1");
      await first.enrol("d2");
      await first.close();
      const answered = [
        { device: "d1", events: makeChain("a", 3) },
        { device: "d2", events: makeChain("b", 2) },
      ];
      const atRisk = [
        { device: "d1", events: makeChain("c", 4) },
        { device: "d2", events: makeChain("d", 3).slice(1) },
      ];
      const answers = await bed.crash(place, at, answered, atRisk);
      const reopened = await bed.open(place, "w");
      const { log } = reopened;
      for (const [index, { device, events }] of answered.entries()) {
        const again = await append(log, device, events);
        assert.deepEqual(new Set(kindsOf(again)), new Set(["duplicate"]));
        assert.deepEqual(positionsOf(again), positionsOf(answers[index] as AppendAnswer));
      }
      const isThere = at === "committed" ? "duplicate" : "placed";
      const again = [];
      for (const { device, events } of atRisk) again.push(kindsOf(await append(log, device, events)));
      assert.deepEqual(again, [
        [isThere, isThere, isThere, isThere],
        ["held", "held"],
      ]);
      const leaves = await log.read(0, 100);
      assert.deepEqual(
        leaves.map(({ position }) => position),
        leaves.map((_, index) => index),
      );
      const hashes = leaves.filter(({ type }) => type === "event").map(({ hash }) => hash);
      assert.deepEqual(
        hashes,
        [...answered, ...atRisk.slice(0, 1)].flatMap(({ events }) => events.map(({ hash }) => hash)),
      );
      await reopened.close();
    });
  }
}

const titles: Readonly<Record<CrashPoint, string>> = {
  before: "before a commit wrote anything",
  inside: "with a commit's rows written",
  committed: "between a commit and its answers",
};

/** Events of one run, each following the one before it; the run's name makes them what they are. */
export function makeChain(
  name: string,
  count: number,
  { run = sha256Hex(utf8ToBytes(name)).slice(0, 16), after }: { run?: string; after?: PlacedCandidate } = {},
): PlacedCandidate[] {
  const events: PlacedCandidate[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const bytes = utf8ToBytes(`${name} ${seq}`);
    events.push({ run, seq, prev: events.at(-1)?.hash ?? after?.hash ?? null, hash: sha256Hex(bytes), bytes });
  }
  return events;
}

const append = (log: OrderLog, device: string, events: readonly PlacedCandidate[]) =>
  log.append({ workspace: "w", device, events, via: "websocket" });

function kindsOf(answer: AppendAnswer): string[] {
  assert.ok("answers" in answer, JSON.stringify(answer));
  return answer.answers.map((one) => one.answer);
}

function positionsOf(answer: AppendAnswer): (number | null)[] {
  assert.ok("answers" in answer, JSON.stringify(answer));
  return answer.answers.map((one) => ("position" in one ? one.position : null));
}
