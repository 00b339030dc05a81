import assert from "node:assert/strict";
import { test } from "node:test";
import type { CapturedFact, Envelope, OwedPhoto } from "@sampai/engine";
import { readEnrolmentLink } from "../src/session/enrolment-link.ts";
import { applyDelta, byUrgency, type BoardState, type RepRow } from "../src/board/board-state.ts";
import { planKey, planStop, stopsOf } from "../src/visits/journey.ts";
import { heldPhotos } from "../src/visits/photo-debt.ts";
import { moveEdit, textEdit, type TextEdit } from "../src/visits/text-edit.ts";
import { openVisit, visitsOf } from "../src/visits/visit-history.ts";
import { workingDay } from "../src/visits/working-day.ts";

const ZONE = "Asia/Kuala_Lumpur";
let facts = 0;

function fact(kind: string, at: string, visit: string | null = null, body: unknown = {}): CapturedFact {
  facts += 1;
  const envelope = { id: `id-${facts}`, kind, at, visit, store: visit === null ? null : "S-0001", body } as Envelope;
  return { envelope, hash: "", state: "saved", term: null, position: null, savedAt: at };
}

test("a rep's location is wanted from the start of the day to its end, and a day that was never ended is over with it", () => {
  const start = fact("attendance.started.v1", "2026-11-24T00:05:00.000Z");
  assert.equal(workingDay([], "2026-11-24", ZONE).working, false);
  assert.equal(workingDay([start], "2026-11-24", ZONE).working, true);
  assert.equal(workingDay([start], "2026-11-25", ZONE).working, false);
  const end = fact("attendance.ended.v1", "2026-11-24T09:31:00.000Z");
  assert.equal(workingDay([start, end], "2026-11-24", ZONE).working, false);
  const again = fact("attendance.started.v1", "2026-11-24T11:01:00.000Z");
  assert.equal(workingDay([start, end, again], "2026-11-24", ZONE).working, true);
});

test("a closed day counts what was captured since the close before it, and is open again when more is captured", () => {
  const first = [
    fact("attendance.started.v1", "2026-11-23T01:00:00.000Z"),
    fact("day.closed.v1", "2026-11-23T10:00:00.000Z"),
  ];
  const second = [
    fact("attendance.started.v1", "2026-11-24T01:00:00.000Z"),
    fact("photo.captured.v1", "2026-11-24T02:00:00.000Z", "v"),
    fact("attendance.ended.v1", "2026-11-24T09:00:00.000Z"),
  ];
  const open = workingDay([...first, ...second], "2026-11-24", ZONE);
  assert.deepEqual([open.closed, open.events, open.photos], [false, 3, 1]);
  const all = [...first, ...second, fact("day.closed.v1", "2026-11-24T09:20:00.000Z")];
  const closed = workingDay(all, "2026-11-24", ZONE);
  assert.deepEqual([closed.closed, closed.events], [true, 0]);
  const later = workingDay([...all, fact("photo.captured.v1", "2026-11-24T09:40:00.000Z", "v")], "2026-11-24", ZONE);
  assert.deepEqual([later.closed, later.events], [false, 1]);
});

test("a visit is what its check-in, the facts that name it and its check-out say together", () => {
  const captured = [
    fact("visit.checked-in.v1", "2026-11-24T01:00:00.000Z", "a", { plan: null }),
    fact("order.placed.v1", "2026-11-24T01:10:00.000Z", "a", { lines: [], totalSen: 5 }),
    fact("visit.checked-out.v1", "2026-11-24T01:20:00.000Z", "a", { outcome: "ordered" }),
    fact("visit.checked-in.v1", "2026-11-24T02:00:00.000Z", "b", { plan: "R001/2026-W48/2026-11-24/2" }),
    fact("order.placed.v1", "2026-11-24T02:10:00.000Z", "gone", {}),
  ];
  const visits = visitsOf(captured);
  assert.deepEqual(
    visits.map(({ id, outcome, facts: own }) => [id, outcome, own.length]),
    [
      ["a", "ordered", 3],
      ["b", null, 1],
    ],
  );
  assert.equal(openVisit(visits)?.id, "b");
});

test("the plan's week is the ISO week of the workspace's day, not of the phone's zone", () => {
  // 17:00 UTC on Sunday is Monday 01:00 in Kuala Lumpur.
  assert.equal(planKey("R001", Date.parse("2026-11-22T17:00:00.000Z"), ZONE), "R001/2026-W48");
  assert.equal(planKey("R001", Date.parse("2026-11-22T15:00:00.000Z"), ZONE), "R001/2026-W47");
  assert.equal(planKey("R001", Date.parse("2027-01-01T04:00:00.000Z"), ZONE), "R001/2026-W53");
  assert.deepEqual(planStop("R001/2026-W48/2026-11-24/2"), { key: "R001/2026-W48", row: "2026-11-24/2" });
  assert.equal(planStop("somewhere"), null);
});

test("stops stand in the plan's order, and a visit on this phone outranks the plan's own status", () => {
  const value = {
    stopStore: { "2026-11-24/10": "S-3", "2026-11-24/2": "S-2", "2026-11-25/1": "S-9" },
    stopStatus: { "2026-11-24/10": "visited", "2026-11-24/2": "planned" },
  };
  const visits = visitsOf([
    fact("visit.checked-in.v1", "2026-11-24T02:00:00.000Z", "v", { plan: "R001/2026-W48/2026-11-24/2" }),
  ]);
  assert.deepEqual(
    stopsOf("R001/2026-W48", value, "2026-11-24", visits).map(({ store, state }) => [store, state]),
    [
      ["S-2", "here-now"],
      ["S-3", "visited"],
    ],
  );
});

const apply = (text: string, edit: TextEdit) =>
  text.slice(0, edit.at) + edit.insert + text.slice(edit.at + edit.remove);

test("a text edit changes only what the person changed, and applied to the old text gives the new one", () => {
  const pairs = [
    ["", "abc"],
    ["abc", ""],
    ["shop open", "shop is open"],
    ["aaaa", "aaa"],
    ["kedai 🏪 buka", "kedai 🏬 buka"],
    ["one two", "one and two"],
  ] as const;
  for (const [before, after] of pairs) {
    const edit = textEdit("notes", before, after);
    assert.ok(edit !== null);
    assert.equal(apply(before, edit), after);
    assert.ok(edit.insert.isWellFormed());
  }
  assert.equal(textEdit("notes", "same", "same"), null);
});

test("an edit made while somebody else wrote keeps both people's words", () => {
  const before = "Owner is away.";
  const mine = textEdit("notes", before, "Owner is away. Call on Monday.") as TextEdit;
  const theirs = "New owner: Ali. Owner is away.";
  assert.equal(apply(theirs, moveEdit(mine, before, theirs)), "New owner: Ali. Owner is away. Call on Monday.");
  const after = "Owner is away. Back at 3.";
  const front = textEdit("notes", before, "The Owner is away.") as TextEdit;
  assert.equal(apply(after, moveEdit(front, before, after)), "The Owner is away. Back at 3.");
});

test("an enrolment link is read from the address, a pasted link or a bare code, and nothing else is", () => {
  const relay = "https://hq.example";
  assert.deepEqual(readEnrolmentLink(" https://hq.example/enrol#AB-cd_12 ", null), { relay, code: "AB-cd_12" });
  assert.deepEqual(readEnrolmentLink("ABCD1234", relay), { relay, code: "ABCD1234" });
  assert.equal(readEnrolmentLink("ABCD1234", null), null);
  for (const wrong of ["", "hello world", "https://hq.example/", "javascript:alert(1)", "https://hq.example/enrol"]) {
    assert.equal(readEnrolmentLink(wrong, relay), null, wrong);
  }
});

function row(
  key: string,
  standing: RepRow["completeness"]["standing"],
  oldestUnsentAt: string | null = null,
  heardAt: string | null = "2026-11-24T05:00:00Z",
): RepRow {
  return { key, name: key, completeness: { standing, oldestUnsentAt, heardAt } } as RepRow;
}

test("a board's change replaces the rows that it names and leaves the others", () => {
  const board = { top: { orders: 1 }, rows: [row("R001", "owing"), row("R002", "off")] } as unknown as BoardState;
  const next = applyDelta(board, { top: null, put: [row("R001", "all-in"), row("R000", "silent")], gone: ["R002"] });
  assert.deepEqual(
    next.rows.map(({ key, completeness }) => [key, completeness.standing]),
    [
      ["R000", "silent"],
      ["R001", "all-in"],
    ],
  );
  assert.equal(next.top, board.top);
});

test("the board puts those first who owe or fell silent, the longest waiting first, and phones never heard last", () => {
  const rows = [
    row("e", "silent", null, null),
    row("d", "all-in"),
    row("b", "owing", "2026-11-24T03:00:00Z"),
    row("a", "owing", "2026-11-24T01:00:00Z"),
    row("c", "silent"),
  ];
  assert.deepEqual(
    byUrgency(rows).map(({ key }) => key),
    ["a", "b", "c", "d", "e"],
  );
});

test("the sync centre says how many photos and bytes wait for what; what moves, is there or will not come is not among them", () => {
  const photo = (
    waitsFor: OwedPhoto["waitsFor"],
    sentBytes: number,
    state: OwedPhoto["state"] = "waiting",
  ): OwedPhoto => ({
    id: "",
    visit: "",
    sha256: "",
    bytes: 100,
    sentBytes,
    state,
    waitsFor,
    refusal: null,
    reason: "",
  });
  const photos = [
    photo("budget", 0),
    photo("wifi", 0, "preview-at-hq"),
    photo("budget", 40),
    photo(null, 60, "sending"),
    photo(null, 100, "at-hq"),
    photo(null, 0, "lost"),
  ];
  assert.deepEqual(heldPhotos(photos), [
    { waitsFor: "budget", photos: 2, bytes: 160 },
    { waitsFor: "wifi", photos: 1, bytes: 100 },
  ]);
});
