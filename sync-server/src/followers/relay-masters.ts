import * as A from "@automerge/automerge/slim";
import { documentId, readingRules, type Pack, type StoreSeen } from "@sampai/engine";
import { LRUCache } from "lru-cache";
import type { DatabaseSync } from "node:sqlite";
import type { Person } from "../devices/operations.ts";
import { fieldOf, loadReplica } from "./master-records.ts";
import type { Masters, PlannedStop, StoreRecord } from "./masters.ts";
import type { PackShelf } from "./pack-shelf.ts";
import { prepared } from "./prepared.ts";

/** The masters as the relay's database and the followers' own records have them. */
export function createRelayMasters(deps: {
  readonly relay: DatabaseSync;
  readonly db: DatabaseSync;
  readonly packs: PackShelf;
  readonly workspace: string;
}): Masters {
  const { relay, db, packs, workspace } = deps;
  const owners = new Map<string, string>();
  const personOf = relay.prepare("select person from device where device = ?");
  const people = relay.prepare("select code, name, role, territories from person order by code");
  const person = relay.prepare("select code, name, role, territories from person where code = ?");
  const seen = new LRUCache<string, StoreSeen>({ max: 2_000 });
  return {
    // A device never changes hands: only what is known is remembered.
    personOf: (device) => {
      const known = owners.get(device) ?? (personOf.get(device) as { person: string } | undefined)?.person;
      if (known !== undefined) owners.set(device, known);
      return known ?? null;
    },
    person: (code) => {
      const row = person.get(code) as unknown as PersonRow | undefined;
      return row === undefined ? undefined : readPerson(row);
    },
    people: () => (people.all() as unknown as PersonRow[]).map(readPerson),
    pack: packs.pack,
    newestPack: packs.newest,
    storeAt: (code, received) => {
      const row = prepared(
        db,
        "select record from store_record where code = ? and received <= ? order by position desc limit 1",
      ).get(code, received) as { record: string } | undefined;
      return row === undefined ? null : (JSON.parse(row.record) as StoreRecord);
    },
    storeSeen: (code, heads) => {
      const name = `${code} ${heads.join(" ")}`;
      const known = seen.get(name);
      if (known !== undefined) return known;
      const found = storeAtHeads(relay, documentId(workspace, "store", code), heads, packs.newest());
      if (found !== null) seen.set(name, found);
      return found;
    },
    stopsOn: (day) =>
      db
        .prepare("select rep, store, plan from plan_stop where day = ? order by plan")
        .all(day) as unknown as PlannedStop[],
  };
}

function storeAtHeads(relay: DatabaseSync, doc: string, heads: readonly string[], pack: Pack | null): StoreSeen | null {
  const whole = loadReplica(relay, doc, Number.MAX_SAFE_INTEGER);
  try {
    if (!A.hasHeads(whole, [...heads])) return null;
    const then = A.clone(A.view(whole, [...heads]));
    const rules = readingRules(pack);
    const status = fieldOf(then, "store", "status", rules);
    const credit = fieldOf(then, "store", "creditLimitSen", rules);
    A.free(then);
    return {
      status: typeof status === "string" ? status : null,
      creditLimitSen: typeof credit === "number" ? credit : null,
    };
  } finally {
    A.free(whole);
  }
}

interface PersonRow {
  code: string;
  name: string;
  role: string;
  territories: string;
}

function readPerson({ code, name, role, territories }: PersonRow): Person {
  return { code, name, role: role as Person["role"], territories: JSON.parse(territories) as string[] };
}
