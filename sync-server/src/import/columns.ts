import { keptExif } from "@sampai/engine";
import type { z } from "zod";
import {
  code,
  codes,
  day,
  decimal,
  oneOf,
  options,
  ringgitAmount,
  someOf,
  week,
  wholeNumber,
  words,
  yesNo,
} from "./cells.ts";

/** One column of a CSV file: what it means to a person, and what its cells may hold. */
export interface Column<T, Required extends boolean = boolean> {
  readonly meaning: string;
  readonly type: string;
  /** The file must have the column, and no cell of it may be empty. */
  readonly required: Required;
  readonly example: string;
  readonly schema: z.ZodType<T, string>;
}

/** One CSV file of an import. `key`: the columns that together name a row; no two rows may share them. */
export interface Table<C extends Record<string, Column<unknown>> = Record<string, Column<unknown>>> {
  readonly file: string;
  readonly holds: string;
  readonly key: readonly string[];
  readonly mostRows: number;
  readonly columns: C;
}

type Cell<C> = C extends Column<infer T, infer R> ? (R extends true ? T : T | null) : never;
/** A row that has been read: each column's value, null where an optional cell is empty, and the line it stands on. */
export type Row<T> =
  T extends Table<infer C> ? { readonly [K in keyof C]: Cell<C[K]> } & { readonly line: number } : never;

const need = <T>(meaning: string, type: string, example: string, schema: z.ZodType<T, string>): Column<T, true> => ({
  meaning,
  type,
  example,
  schema,
  required: true,
});
const may = <T>(meaning: string, type: string, example: string, schema: z.ZodType<T, string>): Column<T, false> => ({
  meaning,
  type,
  example,
  schema,
  required: false,
});
const table = <C extends Record<string, Column<unknown>>>(
  made: Table<C> & { readonly key: readonly (keyof C & string)[] },
): Table<C> => made;

export const territories = table({
  file: "territories.csv",
  holds: "sales territories",
  key: ["code"],
  mostRows: 5_000,
  columns: {
    code: need("Code of the territory", "code", "NS-SER", code()),
    name: need("Its name", "text", "Seremban", words(200)),
  },
});

export const reps = table({
  file: "reps.csv",
  holds: "people: reps, supervisors, HQ",
  key: ["code"],
  mostRows: 20_000,
  columns: {
    code: need("Code of the person", "code", "R012", code()),
    name: need("Name", "text", "Ravi", words(200)),
    role: need("What the person may do", "rep, supervisor or hq", "rep", oneOf("rep", "supervisor", "hq")),
    territories: need("Territories, | between them; * is all", "codes", "NS-SER|NS-PD", codes()),
  },
});

export const goods = table({
  file: "goods.csv",
  holds: "goods with their list prices",
  key: ["sku"],
  mostRows: 20_000,
  columns: {
    sku: need("Article number", "code", "910", code(40)),
    name: need("Name", "text", "KORDIAL F&N (SIRAP ROS)", words(200)),
    unit: need("What one piece of it is", "text", "2 liter", words(40)),
    group: may("Group in the catalogue", "text", "MINUMAN", words(100)),
    category: may("Category in the group", "text", "BAHAN-BAHAN MINUMAN", words(100)),
    price_rm: need("List price of one unit in ringgit", "amount", "11.00", ringgitAmount()),
    price_made_up: may("yes where the price was seeded for trying out", "yes or no (no)", "yes", yesNo()),
    max_quantity: may(
      "A line of more units is looked at by a person",
      "whole number",
      "500",
      wholeNumber(1, 1_000_000),
    ),
  },
});

export const schemes = table({
  file: "schemes.csv",
  holds: "trade schemes: a price from a quantity on",
  key: ["scheme", "sku"],
  mostRows: 20_000,
  columns: {
    scheme: need("Name of the scheme", "code", "BULK-910-12", code(40)),
    sku: need("Article number, as in goods.csv", "code", "910", code(40)),
    from_quantity: need("Units in one line from which it counts", "whole number", "12", wholeNumber(1, 1_000_000)),
    unit_price_rm: need("Price of one unit in ringgit", "amount", "10.45", ringgitAmount()),
    from: need("First day", "YYYY-MM-DD", "2026-01-01", day()),
    to: need("Last day", "YYYY-MM-DD", "2026-12-31", day()),
  },
});

export const stores = table({
  file: "stores.csv",
  holds: "outlets: each becomes a store master",
  key: ["code"],
  mostRows: 50_000,
  columns: {
    code: need("Code of the store", "code", "S-0481", code()),
    name: need("Name", "text", "KEDAI RUNCIT MAJU", words(120)),
    channel: may("Kind of outlet", "code", "grocery", code()),
    address: may("Address", "text", "12, JALAN BESAR, 70000 SEREMBAN", words(300)),
    postcode: may("Postcode", "5 digits", "70000", wholeNumberText(5)),
    town: may("Town or district", "text", "Seremban", words(200)),
    state: may("State", "text", "Negeri Sembilan", words(200)),
    territory: need("Territory, as in territories.csv", "code", "NS-SER", code()),
    owner_rep: may("Responsible rep, as in reps.csv", "code", "R012", code()),
    lat: may("Latitude, WGS 84; with lon or not at all", "degrees", "2.72520", decimal(-180, 180)),
    lon: may("Longitude, WGS 84", "degrees", "101.93780", decimal(-180, 180)),
    coord_uncertainty_m: may(
      "How far the store may be from that point, in metres",
      "whole number",
      "4000",
      wholeNumber(0, 1_000_000),
    ),
    coord_source: may("Where the point comes from", "text", "approximate: town (GeoNames)", words(200)),
    credit_limit_rm: may("Credit limit in ringgit", "amount", "5000.00", ringgitAmount()),
    terms_days: may("Days until an invoice is due", "whole number", "30", wholeNumber(0, 365)),
    status: may(
      "Whether it is served (active)",
      "prospect, active, dormant or closed",
      "active",
      oneOf("prospect", "active", "dormant", "closed"),
    ),
    source: may("Where the row comes from; not imported", "text", "KPDN PriceCatcher 14811", words(200)),
  },
});

export const plans = table({
  file: "plans.csv",
  holds: "journey plans: one row is one stop",
  key: ["rep", "week", "weekday", "stop"],
  mostRows: 200_000,
  columns: {
    rep: need("Rep, as in reps.csv", "code", "R012", code()),
    week: need("ISO week, or +0 for the week of the import, +1 for the next", "week", "+0", week()),
    weekday: need("1 is Monday, 7 is Sunday", "1 to 7", "2", wholeNumber(1, 7)),
    stop: need("Place in the day, from 1", "whole number", "3", wholeNumber(1, 99)),
    store: need("Store, as in stores.csv", "code", "S-0481", code()),
  },
});

export const forms = table({
  file: "forms.csv",
  holds: "audit forms: one row is one question",
  key: ["form", "version", "question"],
  mostRows: 20_000,
  columns: {
    form: need("Name of the form", "code", "shelf", code()),
    version: need("Raised whenever a question changes", "whole number", "1", wholeNumber(1, 1_000_000)),
    title_en: need("Title, English", "text", "Shelf audit", words(200)),
    title_ms: need("Title, Bahasa Malaysia", "text", "Audit rak", words(200)),
    question: need("Name of the question", "code", "facings", code()),
    label_en: need("Question, English", "text", "Facings of our goods", words(200)),
    label_ms: need("Question, Bahasa Malaysia", "text", "Bilangan muka barangan kita", words(200)),
    type: need(
      "Kind of answer",
      "integer, boolean, text or choice",
      "integer",
      oneOf("integer", "boolean", "text", "choice"),
    ),
    options: may("Options of a choice", "value:English:Malay, | between", "none:None:Tiada", options()),
    required: may("Whether it must be answered", "yes or no (no)", "yes", yesNo()),
  },
});

export const holidays = table({
  file: "holidays.csv",
  holds: "public holidays",
  key: ["date", "name"],
  mostRows: 1_000,
  columns: {
    date: need("Day", "YYYY-MM-DD", "2026-08-31", day()),
    name: need("Name", "text", "Hari Kebangsaan", words(200)),
  },
});

export const rules = table({
  file: "rules.csv",
  holds: "what a failed rule or a finding does; a rule without a row annotates",
  key: ["rule"],
  mostRows: 1_000,
  columns: {
    rule: need("Name of the rule or detector", "code", "credit-limit", code()),
    consequence: need(
      "What it does",
      "annotate, hold-proof or hold-order",
      "hold-order",
      oneOf("annotate", "hold-proof", "hold-order"),
    ),
  },
});

export const conflicts = table({
  file: "conflicts.csv",
  holds: "how concurrent edits of a field are settled; a field without a row keeps the rule of its schema",
  key: ["document", "field"],
  mostRows: 1_000,
  columns: {
    document: need("Kind of document", "store, visit or plan", "store", oneOf("store", "visit", "plan")),
    field: need("Field of it", "code", "channel", code()),
    rule: need(
      "What settles it",
      "latest, authority, max, min, monotone or keep-all",
      "keep-all",
      oneOf("latest", "authority", "max", "min", "monotone", "keep-all"),
    ),
  },
});

export const photos = table({
  file: "photos.csv",
  holds: "how photos are made and sent: one row",
  key: ["longest_edge"],
  mostRows: 1,
  columns: {
    longest_edge: need("Longest edge of an original, in pixels", "whole number", "1600", wholeNumber(320, 8_192)),
    quality: need("JPEG quality to start with", "1 to 100", "80", wholeNumber(1, 100)),
    target_kb: may(
      "Kilobytes an original should not exceed: quality gives way to reach it",
      "whole number (400)",
      "400",
      wholeNumber(20, 15_728),
    ),
    preview_edge: need("Longest edge of a preview, in pixels", "whole number", "320", wholeNumber(64, 1_024)),
    originals_on_wifi_only: need("Whether originals wait for Wi-Fi", "yes or no", "no", yesNo()),
    mobile_mb_per_day: need(
      "Megabytes of photos a day on mobile data",
      "whole number",
      "50",
      wholeNumber(0, 1_000_000),
    ),
    keep_exif: may(
      "What of a picture's EXIF stays; all else is dropped",
      "capturedAt, camera, | between (nothing)",
      "capturedAt",
      someOf(keptExif),
    ),
  },
});

/** Every file there is, in the order in which they are read and explained. */
export const tables = {
  territories,
  reps,
  goods,
  schemes,
  stores,
  plans,
  forms,
  holidays,
  rules,
  conflicts,
  photos,
} as const;
export type TableName = keyof typeof tables;

/** The rows of the files that were given; a file that was not given is absent. */
export type Rows = { readonly [N in TableName]?: readonly Row<(typeof tables)[N]>[] };

function wholeNumberText(digits: number): z.ZodType<string, string> {
  return words(digits).regex(new RegExp(`^\\d{${digits}}$`), `is not ${digits} digits`);
}
