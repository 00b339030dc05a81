import * as A from "@automerge/automerge/slim";
import {
  conflictsOf,
  documentKinds,
  historyOf,
  valueSchema,
  viewOf,
  type NeedsYou,
  type Replica,
  type WrittenField,
} from "@sampai/engine";
import assert from "node:assert/strict";
import { OpenDocuments } from "../../../src/documents/open-documents.ts";
import { inScope } from "../../../src/documents/scope.ts";
import { createStoredDocuments, type DocumentRow } from "../../../src/documents/stored-documents.ts";
import { authoredName, lastWritten, type Authored } from "./authored.ts";
import type { RestedHistory } from "./history.ts";
import type { SimulatedPhone } from "./phone.ts";
import type { SimulatedStockClient } from "./stock-client.ts";

const CACHE_BYTES = 64 * 1_024 * 1_024;

/** Holds a rested history against the rules. Throws the first that is broken; answers what it counted. */
export async function judge(history: RestedHistory): Promise<Record<string, number>> {
  const { world, authored, packs, rested } = history;
  assert.ok(rested, "when the network heals, everything comes to rest");
  const surprises = world.relay.errors.filter((error) => !JSON.stringify(error).includes("DiskFull"));
  assert.deepEqual(surprises, [], "the relay logs no error but that its disk is full");
  const stored = createStoredDocuments(world.relay.database.db);
  // What is on disk is the truth: read it as a relay that starts does.
  const open = new OpenDocuments(stored, CACHE_BYTES, (doc, why) => assert.fail(`snapshot of ${doc}: ${why}`));
  const atRelay = new Map<string, { readonly row: DocumentRow; readonly replica: Replica }>();
  for (const row of stored.all()) {
    const opened = await open.open(row);
    assert.ok(opened.ok, `${row.kind} ${row.key} can be read`);
    assert.deepEqual(sorted(opened.value.heads), sorted(row.heads), "the index has the document's heads");
    assert.deepEqual(placeOf(world.relay.host.registry.get(row.doc)), placeOf(row), "the registry is what is stored");
    atRelay.set(row.doc, { row, replica: opened.value.replica });
  }

  const views = new Map<string, ReturnType<typeof viewOf>>();
  const relayView = (doc: string, pack: number) => {
    const name = `${doc}|${pack}`;
    const { row, replica } = atRelay.get(doc) as { row: DocumentRow; replica: Replica };
    const view = views.get(name) ?? viewOf(replica, row.kind, packs[pack] as (typeof packs)[number]);
    views.set(name, view);
    return view;
  };
  let replicas = 0;
  for (const phone of world.phones) {
    const { device } = phone.setting;
    assert.deepEqual(phone.documents.dirty(), [], `${device} has sent everything`);
    assert.deepEqual(phone.documents.doubted(), [], `${device} doubts nothing`);
    const wanted = [...atRelay.values()].filter(({ row }) => inScope(phone.viewer, row)).map(({ row }) => row.doc);
    const here = (["store", "visit", "plan"] as const).flatMap((kind) => phone.documents.list(kind));
    assert.deepEqual(
      sorted(here.map(({ doc }) => doc)),
      sorted(wanted),
      `${device} holds what it may see, and no more`,
    );
    const pack = packs.indexOf(phone.rules);
    for (const { doc, kind, key } of here) {
      const view = await world.wait(phone.documents.view(kind, key));
      assert.ok(view.ok, `${device} can read ${kind} ${key}`);
      const { row } = atRelay.get(doc) as { row: DocumentRow };
      assert.deepEqual(sorted(view.value.heads), sorted(row.heads), `${device} has ${kind} ${key} whole`);
      const { value, conflicts } = relayView(doc, pack);
      assert.deepEqual(view.value.value, value, `${device} sees in ${kind} ${key} what the relay sees`);
      assert.deepEqual(view.value.conflicts, conflicts, `${device} sees the same conflicts in ${kind} ${key}`);
      replicas += 1;
    }
  }

  let open1 = 0;
  for (const { row, replica } of atRelay.values()) {
    for (const [number, pack] of packs.entries()) {
      valueSchema(documentKinds[row.kind]).parse(relayView(row.doc, number).value);
      for (const conflict of conflictsOf(replica, row.kind, pack)) {
        const where = `${row.kind} ${row.key} ${conflict.field}`;
        assert.ok(conflict.winner !== null && conflict.losers.length > 0, `${where} names who disagreed`);
        assert.match(conflict.reason.en, /^[A-Z].* over .*\.$/s, `${where} is explained by a sentence`);
        assert.ok(told(world, row.doc, conflict.field, conflict.key), `${where} stands in the trail`);
        open1 += 1;
      }
    }
  }
  const stock = judgeStockClients(world.stockClients, atRelay);
  const { accepted, refused } = judgeAuthored(world.phones, [...authored.all.values()], atRelay);
  return { ...history.figures, replicas, conflicts: open1, accepted, refused, ...stock, changes: stored.head() };
}

function placeOf(row: DocumentRow | undefined) {
  const { territory, owner, heads, last, waitsFor, tombstone } = row ?? assert.fail("it is in the registry");
  return { territory, owner, heads: sorted(heads), last, waitsFor, tombstone };
}

/**
 * A stock client has whatever it may see, whole; what it wrote and its role may is stored once, and what it may not, or
 * wrote behind that, never. It cannot be made to let go of what was refused, so only an honest replica equals the relay's.
 */
function judgeStockClients(
  clients: readonly SimulatedStockClient[],
  atRelay: ReadonlyMap<string, { readonly row: DocumentRow; readonly replica: Replica }>,
): { readonly [counted: string]: number } {
  const counts = { "stock replicas": 0, "stock edits accepted": 0, "stock edits refused": 0 };
  for (const client of clients) {
    const { device } = client.setting;
    for (const [doc, { replica }] of client.documents) {
      const stored = atRelay.get(doc);
      if (stored === undefined || !inScope(client.viewer, stored.row)) continue;
      const { row } = stored;
      assert.ok(A.hasHeads(replica, [...row.heads]), `${device} has ${row.key} whole`);
      const edits = client.edits.filter((edit) => edit.doc === doc);
      for (const { hash, allowed } of edits) {
        assert.equal(A.hasHeads(stored.replica, [hash]), allowed, `${device}'s change ${hash} in ${row.key}`);
        counts[allowed ? "stock edits accepted" : "stock edits refused"] += 1;
      }
      if (edits.some(({ allowed }) => !allowed)) continue;
      assert.deepEqual(
        sorted(A.getHeads(replica)),
        sorted(row.heads),
        `${device} has in ${row.key} what the relay has`,
      );
      counts["stock replicas"] += 1;
    }
  }
  return counts;
}

/** Every edit that became durable on a phone is at the relay exactly once, or needs its author: never both, never neither. */
function judgeAuthored(
  phones: readonly SimulatedPhone[],
  authored: readonly Authored[],
  atRelay: ReadonlyMap<string, { readonly row: DocumentRow; readonly replica: Replica }>,
): { accepted: number; refused: number } {
  const found = new Map<string, WrittenField[]>();
  const values = new Set<string>();
  for (const { row, replica } of atRelay.values()) {
    for (const { device, at, edits } of historyOf(replica, row.kind)) {
      for (const written of lastWritten(edits)) {
        const name = authoredName(row.doc, device, at, written);
        found.set(name, [...(found.get(name) ?? []), written]);
        values.add(valueName(row.doc, written));
      }
    }
  }
  const needs = new Map<string, NeedsYou[]>();
  for (const phone of phones) {
    for (const need of phone.documents.needsYou()) {
      const name = authoredName(need.doc, phone.setting.device, need.at, writtenOf(need));
      needs.set(name, [...(needs.get(name) ?? []), need]);
    }
  }
  const placeRefused = new Set(
    phones.flatMap(({ documents, setting }) =>
      documents.needsYou().map((need) => placeName(need.doc, setting.device, writtenOf(need))),
    ),
  );
  let accepted = 0;
  let refused = 0;
  for (const { phone, doc, kind, key, at, written } of authored) {
    const name = authoredName(doc, phone.setting.device, at, written);
    const what = `${name} (${kind} ${key})`;
    const taken = found.get(name) ?? [];
    const told = needs.get(name) ?? [];
    assert.ok(taken.length <= 1, `${what} is stored once, not ${taken.length} times`);
    assert.ok(told.length <= 1, `${what} is shown to its author once`);
    assert.ok(taken.length === 0 || told.length === 0, `${what} is not called refused where it was taken`);
    if (taken[0] !== undefined) {
      assert.deepEqual(content(taken[0]), content(written), `${what} was taken as it was written`);
      accepted += 1;
    } else if (told[0] !== undefined) {
      assert.match(told[0].sentence, /^HQ did not take your change of .+: .+\.( \(.+\))?$/s);
      refused += 1;
    } else {
      // Written again on top of what the relay holds, it may have found its own value there already.
      const empty = written.does === "set" && written.value === null;
      // What emptied a place again after a refused edit had filled it finds it empty.
      const isThere =
        values.has(valueName(doc, written)) ||
        (empty && placeRefused.has(placeName(doc, phone.setting.device, written)));
      assert.ok(isThere, `${what} is at the relay or needs its author`);
      accepted += 1;
    }
    needs.delete(name);
  }
  assert.deepEqual([...needs.keys()], [], "nobody is asked about what he did not write");
  return { accepted, refused };
}

function writtenOf({ edit }: NeedsYou): WrittenField {
  const { field } = edit;
  if ("insert" in edit) return { field, row: null, does: "text", inserted: edit.insert, removed: edit.remove };
  if ("increment" in edit) return { field, row: null, does: "increment", by: edit.increment };
  return { field, row: edit.key ?? null, does: "set", value: edit.set, empty: false };
}

/** What an edit says, apart from what it replaces: that may have changed until it is written again. */
function content(written: WrittenField) {
  if (written.does === "set") return written.value;
  return written.does === "increment" ? written.by : written.inserted;
}

const valueName = (doc: string, written: WrittenField) =>
  JSON.stringify([doc, written.field, written.row, written.does, content(written)]);

function told(world: RestedHistory["world"], doc: string, field: string, row: string | null): boolean {
  const rows = world.relay.database.db
    .prepare("select detail from trail where topic = 'document.conflict' and item = ?")
    .all(doc);
  return rows.some(({ detail }) => {
    const note = JSON.parse(String(detail)) as { field: string; row: string | null };
    return note.field === field && note.row === row;
  });
}

const placeName = (doc: string, device: string, { field, row }: WrittenField) =>
  JSON.stringify([doc, device, field, row]);

const sorted = (hashes: readonly string[]) => [...hashes].sort();
