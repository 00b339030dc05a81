import { assert, type Scalar } from "@sampai/engine";
import type { PutDocument } from "../documents/put-documents.ts";
import type { Rows } from "./columns.ts";
import type { Known } from "./known.ts";
import { dayOfWeek, resolveWeek } from "./week.ts";

/** One store master for each row of `stores.csv`. */
export function storeDocuments(rows: Rows): readonly PutDocument[] {
  return (rows.stores ?? []).map((row) => ({
    kind: "store",
    key: row.code,
    values: {
      name: row.name,
      hqCode: row.code,
      channel: row.channel,
      status: row.status ?? "active",
      address: row.address,
      town: row.town,
      postcode: row.postcode,
      state: row.state,
      lat: row.lat,
      lon: row.lon,
      uncertaintyMeters: row.coord_uncertainty_m,
      coordinatesSource: row.coord_source,
      territory: row.territory,
      ownerRep: row.owner_rep,
      creditLimitSen: row.credit_limit_rm,
      creditTermsDays: row.terms_days,
    },
  }));
}

/**
 * One plan for each rep and week of `plans.csv`; a stop's row is `day/number`, such as `2026-11-23/1`. `before` tells
 * what the last import wrote into a plan: a stop that stood in it and is in the file no more is taken out.
 */
export function planDocuments(
  rows: Rows,
  known: Known,
  baseWeek: string,
  before: (key: string) => ReadonlyMap<string, string>,
): readonly PutDocument[] {
  const people = rows.reps ?? known.pack?.people ?? [];
  const byPlan = Map.groupBy(rows.plans ?? [], ({ rep, week }) => `${rep}/${resolveWeek(week, baseWeek) ?? ""}`);
  return [...byPlan].map(([key, stops]) => {
    const [rep = "", week = ""] = key.split("/");
    const territories = people.find(({ code }) => code === rep)?.territories ?? [];
    const values: Record<string, Scalar> = {
      rep,
      week,
      territory: territories.find((territory) => territory !== "*") ?? null,
      approved: true,
    };
    for (const { weekday, stop, store } of stops) {
      const day = dayOfWeek(week, weekday);
      assert(day !== undefined, "the weeks of a checked plan exist");
      values[`stopStore/${day}/${stop}`] = store;
      values[`stopStatus/${day}/${stop}`] = "planned";
    }
    for (const field of before(key).keys()) {
      // Its status stays: what was visited was visited.
      if (field.startsWith("stopStore/") && values[field] === undefined) values[field] = null;
    }
    return { kind: "plan", key, values };
  });
}
