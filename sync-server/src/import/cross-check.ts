import type { Rows } from "./columns.ts";
import { unfitRule } from "./conflict-rules.ts";
import { referable, type Known } from "./known.ts";
import { notInMalaysia } from "./map-of-malaysia.ts";
import type { ImportFindings, ImportProblem } from "./problem.ts";
import { dayOfWeek, resolveWeek } from "./week.ts";

/** What one row says of another file's rows, and what no single cell can know. `baseWeek` is the week of the import. */
export function crossCheck(rows: Rows, known: Known, baseWeek: string): ImportFindings {
  const findings: ImportFindings = { refused: [], warnings: [] };
  const pack = known.pack;
  const territories = referable(
    rows.territories,
    ({ code }) => [code, true],
    (pack?.territories ?? []).map(({ code }) => [code, true] as const),
  );
  const people = referable(
    rows.reps,
    ({ code, role, territories }) => [code, { role, territories }],
    (pack?.people ?? []).map(({ code, role, territories }) => [code, { role, territories }] as const),
  );
  const goods = referable(
    rows.goods,
    ({ sku, price_rm }) => [sku, price_rm],
    (pack?.goods ?? []).map(({ sku, priceSen }) => [sku, priceSen] as const),
  );
  const covers = (rep: string, territory: string) => {
    const covered = people.get(rep)?.territories ?? [];
    return covered.includes("*") || covered.includes(territory);
  };
  const at = (file: string) => ({
    refuse: (line: number, column: string | null, reason: string) =>
      findings.refused.push({ file, line, column, reason } satisfies ImportProblem),
    warn: (line: number, column: string | null, reason: string) =>
      findings.warnings.push({ file, line, column, reason }),
  });

  const reps = at("reps.csv");
  for (const { line, code, role, territories: named } of rows.reps ?? []) {
    if (known.forgotten.has(code)) {
      reps.warn(line, "code", `${code} was forgotten and is left out; whoever else this is needs another code`);
    }
    for (const territory of named) {
      if (territory !== "*" && !territories.has(territory)) {
        reps.refuse(line, "territories", `there is no territory ${territory}`);
      }
    }
    if (role === "rep" && named.includes("*")) reps.warn(line, "territories", "a rep with * sees every store");
  }

  const schemes = at("schemes.csv");
  for (const { line, sku, unit_price_rm, from, to } of rows.schemes ?? []) {
    const listSen = goods.get(sku);
    if (listSen === undefined) schemes.refuse(line, "sku", `there is no SKU ${sku}`);
    else if (unit_price_rm >= listSen) schemes.warn(line, "unit_price_rm", "is not below the list price");
    if (to < from) schemes.refuse(line, "to", "is before from");
  }

  const stores = at("stores.csv");
  const lineOfOutlet = new Map<string, number>();
  for (const row of rows.stores ?? []) {
    const { line, lat, lon, territory, owner_rep: owner } = row;
    if (!territories.has(territory)) stores.refuse(line, "territory", `there is no territory ${territory}`);
    if (owner !== null) {
      const role = people.get(owner)?.role;
      if (role === undefined) stores.refuse(line, "owner_rep", `there is no person ${owner}`);
      else if (role !== "rep") stores.refuse(line, "owner_rep", `${owner} is no rep but ${role}`);
      else if (!covers(owner, territory)) stores.refuse(line, "owner_rep", `${owner} does not work in ${territory}`);
    }
    if ((lat === null) !== (lon === null)) {
      stores.refuse(line, lat === null ? "lat" : "lon", "latitude and longitude come together or not at all");
    } else if (lat !== null && lon !== null) {
      const problem = notInMalaysia(lat, lon);
      if (problem !== null) stores.refuse(line, "lat", problem);
      if (row.coord_uncertainty_m === null || row.coord_source === null) {
        stores.warn(
          line,
          "coord_uncertainty_m",
          "a point without uncertainty and source is shown as of unknown quality",
        );
      }
    }
    const outlet = JSON.stringify([row.name.toLowerCase(), row.postcode, row.address?.toLowerCase() ?? null]);
    const first = lineOfOutlet.get(outlet);
    if (first === undefined) lineOfOutlet.set(outlet, line);
    else stores.warn(line, "name", `same name, postcode and address as line ${first}: one outlet twice?`);
  }

  const rules = at("rules.csv");
  for (const { line, rule } of rows.rules ?? []) {
    if (!known.rules.has(rule))
      rules.refuse(line, "rule", `there is no rule ${rule}; there are ${[...known.rules].join(", ")}`);
  }

  checkPlans(rows, known, baseWeek, people, at("plans.csv"));
  checkForms(rows, known, at("forms.csv"));
  const conflicts = at("conflicts.csv");
  for (const { line, document, field, rule } of rows.conflicts ?? []) {
    const problem = unfitRule(document, field, rule);
    if (problem !== null) conflicts.refuse(line, problem.column, problem.reason);
  }
  return findings;
}

interface Pen {
  refuse(line: number, column: string | null, reason: string): void;
  warn(line: number, column: string | null, reason: string): void;
}

function checkPlans(
  rows: Rows,
  known: Known,
  baseWeek: string,
  people: ReadonlyMap<string, { readonly role: string }>,
  plans: Pen,
): void {
  const stores =
    rows.stores === undefined ? known.stores : new Set([...known.stores, ...rows.stores.map((s) => s.code)]);
  const lineOfStop = new Map<string, number>();
  const lineOfVisit = new Map<string, number>();
  for (const { line, rep, week, weekday, stop, store } of rows.plans ?? []) {
    const role = people.get(rep)?.role;
    if (role === undefined) plans.refuse(line, "rep", `there is no person ${rep}`);
    else if (role !== "rep") plans.refuse(line, "rep", `${rep} is no rep but ${role}`);
    if (!stores.has(store)) plans.refuse(line, "store", `there is no store ${store}`);
    const resolved = resolveWeek(week, baseWeek);
    const day = resolved === undefined ? undefined : dayOfWeek(resolved, weekday);
    if (day === undefined) {
      plans.refuse(line, "week", `there is no week ${week}`);
      continue;
    }
    // +0 and the week's own name can name one stop twice, which the columns alone do not show.
    const place = JSON.stringify([rep, day, stop]);
    const sameStop = lineOfStop.get(place);
    if (sameStop === undefined) lineOfStop.set(place, line);
    else if (sameStop !== line) plans.refuse(line, "stop", `stop ${stop} of ${day} stands on line ${sameStop} already`);
    const visit = JSON.stringify([rep, day, store]);
    const sameVisit = lineOfVisit.get(visit);
    if (sameVisit === undefined) lineOfVisit.set(visit, line);
    else plans.warn(line, "store", `${store} is planned twice on ${day}, also on line ${sameVisit}`);
  }
}

function checkForms(rows: Rows, known: Known, forms: Pen): void {
  const firstOf = new Map<string, { line: number; title_en: string; title_ms: string }>();
  for (const row of rows.forms ?? []) {
    const name = `${row.form} version ${row.version}`;
    const first = firstOf.get(name);
    if (first === undefined) firstOf.set(name, row);
    else if (first.title_en !== row.title_en || first.title_ms !== row.title_ms) {
      forms.refuse(row.line, "title_en", `${name} has another title on line ${first.line}`);
    }
    if (row.type === "choice" && row.options === null) forms.refuse(row.line, "options", "a choice needs options");
    if (row.type !== "choice" && row.options !== null) forms.refuse(row.line, "options", "only a choice has options");
  }
  // Answers name form and version: what was asked under that name must stay what it was.
  for (const { form, version, questions } of known.pack?.forms ?? []) {
    const now = (rows.forms ?? []).filter((row) => row.form === form && row.version === version);
    if (now.length === 0) continue;
    const issued = questions.map(({ id, type, options }) => [id, type, options.map(({ value }) => value)]);
    const given = now.map(({ question, type, options }) => [question, type, (options ?? []).map(({ value }) => value)]);
    if (JSON.stringify(issued) !== JSON.stringify(given)) {
      const line = now[0]?.line ?? 1;
      forms.refuse(line, "version", `${form} version ${version} was issued with other questions: raise the version`);
    }
  }
}
