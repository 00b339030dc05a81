import { assert, type DocumentKind, type Scalar } from "@sampai/engine";
import type { Rows } from "./columns.ts";
import type { Known } from "./known.ts";
import { dayOfWeek, resolveWeek } from "./week.ts";

/** A document as HQ's files have it: every value that they name, by field or `field/row`. */
export interface ImportedDocument {
  readonly kind: DocumentKind;
  readonly key: string;
  readonly values: Readonly<Record<string, Scalar>>;
}

/** One store master for each row of `stores.csv`. */
export function storeDocuments(rows: Rows): readonly ImportedDocument[] {
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

/** One plan for each rep and week of `plans.csv`; a stop's row is `day/number`, such as `2026-11-23/1`. */
export function planDocuments(rows: Rows, known: Known, baseWeek: string): readonly ImportedDocument[] {
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
    return { kind: "plan", key, values };
  });
}
