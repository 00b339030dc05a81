import type { Form, Pack } from "@sampai/engine";
import type { Rows } from "./columns.ts";
import { conflictRules } from "./conflict-rules.ts";

/** A pack apart from its number and date, which it gets when it is issued. */
export type PackContent = Omit<Pack, "number" | "issuedAt">;

/** How photos are made and sent where the workspace has not said otherwise. */
const photoPolicy: Pack["photo"] = {
  longestEdge: 1_600,
  quality: 80,
  previewEdge: 320,
  originalsOnWifiOnly: false,
  mobileBytesPerDay: 50_000_000,
};

/** The pack that these rows make: each given file replaces its part whole, the other parts stay as they are in force. */
export function packContent(
  rows: Rows,
  inForce: Pack | null,
  workspace: { readonly id: string; readonly zone: string },
): PackContent {
  return {
    v: 1,
    workspace: workspace.id,
    zone: workspace.zone,
    territories: rows.territories?.map(({ code, name }) => ({ code, name })) ?? inForce?.territories ?? [],
    people:
      rows.reps?.map(({ code, name, role, territories }) => ({ code, name, role, territories })) ??
      inForce?.people ??
      [],
    goods:
      rows.goods?.map((row) => ({
        sku: row.sku,
        name: row.name,
        unit: row.unit,
        group: row.group ?? "",
        category: row.category ?? "",
        priceSen: row.price_rm,
        priceMadeUp: row.price_made_up ?? false,
        ...(row.max_quantity === null ? {} : { maxQuantity: row.max_quantity }),
      })) ??
      inForce?.goods ??
      [],
    schemes:
      rows.schemes?.map(({ scheme, sku, from_quantity, unit_price_rm, from, to }) => ({
        scheme,
        sku,
        fromQuantity: from_quantity,
        unitPriceSen: unit_price_rm,
        from,
        to,
      })) ??
      inForce?.schemes ??
      [],
    forms: rows.forms === undefined ? (inForce?.forms ?? []) : formsOf(rows.forms),
    holidays: rows.holidays?.map(({ date, name }) => ({ date, name })) ?? inForce?.holidays ?? [],
    rules: {
      conflicts: conflictRules(rows.conflicts, inForce?.rules.conflicts ?? {}),
      consequences:
        rows.rules === undefined
          ? (inForce?.rules.consequences ?? {})
          : Object.fromEntries(rows.rules.map(({ rule, consequence }) => [rule, consequence])),
    },
    photo: photoOf(rows.photos?.[0]) ?? inForce?.photo ?? photoPolicy,
  };
}

function photoOf(row: NonNullable<Rows["photos"]>[number] | undefined): Pack["photo"] | null {
  if (row === undefined) return null;
  return {
    longestEdge: row.longest_edge,
    quality: row.quality,
    ...(row.target_kb === null ? {} : { targetBytes: row.target_kb * 1_000 }),
    previewEdge: row.preview_edge,
    originalsOnWifiOnly: row.originals_on_wifi_only,
    mobileBytesPerDay: row.mobile_mb_per_day * 1_000_000,
    ...(row.keep_exif === null ? {} : { keepExif: row.keep_exif }),
  };
}

function formsOf(rows: NonNullable<Rows["forms"]>): Form[] {
  const byVersion = Map.groupBy(rows, ({ form, version }) => JSON.stringify([form, version]));
  return [...byVersion.values()].flatMap((questions): Form[] => {
    const [first] = questions;
    if (first === undefined) return [];
    return [
      {
        form: first.form,
        version: first.version,
        title: { en: first.title_en, ms: first.title_ms },
        questions: questions.map((row) => ({
          id: row.question,
          label: { en: row.label_en, ms: row.label_ms },
          type: row.type,
          options: row.options ?? [],
          required: row.required ?? false,
        })),
      },
    ];
  });
}
