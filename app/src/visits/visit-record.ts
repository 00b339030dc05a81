import type { Engine, FieldEdit, Scalar } from "@sampai/engine";
import { planStop } from "./journey.ts";
import type { Visit } from "./visit-history.ts";

/**
 * Makes the visit's document where it is not here yet. What it says at first comes from the check-in, so that every
 * device that makes it says the same.
 */
export async function ensureVisitRecord(engine: Engine, visit: Visit): Promise<void> {
  const here = engine.documents.list("visit").some(({ key }) => key === visit.id);
  if (here) return;
  const store = engine.documents.list("store").find(({ key }) => key === visit.store);
  const territory: Scalar = store?.summary["territory"] ?? null;
  const edits: FieldEdit[] = [
    { field: "store", set: visit.store },
    { field: "rep", set: engine.identity.rep },
    ...(territory === null ? [] : [{ field: "territory", set: territory }]),
    { field: "checkedInAt", set: visit.checkedInAt },
    { field: "state", set: "open" },
  ];
  await engine.documents.create("visit", visit.id, edits);
}

/** After check-out: the record says how it went, the store master when somebody was last there, the plan that the stop is done. */
export async function closeVisitRecord(engine: Engine, visit: Visit, outcome: string, at: string): Promise<void> {
  await ensureVisitRecord(engine, visit);
  await engine.documents.edit("visit", visit.id, [
    { field: "state", set: "done" },
    { field: "outcome", set: outcome },
  ]);
  await engine.documents.edit("store", visit.store, [
    { field: "lastVisitAt", set: at },
    { field: "visitCount", increment: 1 },
  ]);
  const stop = visit.plan === null ? null : planStop(visit.plan);
  if (stop === null) return;
  const status = outcome === "skipped" ? "skipped" : "visited";
  await engine.documents.edit("plan", stop.key, [{ field: "stopStatus", key: stop.row, set: status }]);
}
