import { field, type DocumentDefinition } from "./field.ts";

const office = { rule: "authority", roles: ["supervisor", "hq"] } as const;
const row = { column: true } as const;

/** What we believe about one outlet. Many people edit it, also offline; its key is the store's code. */
export const storeFields = {
  name: field("words", "Name", "Nama", { max: 120 }),
  /** The code HQ gave; an outlet found in the field starts under a temporary key. */
  hqCode: field("code", "HQ code", "Kod HQ", office),
  temporaryKey: field("code", "Temporary key", "Kunci sementara"),
  registrationNumber: field("code", "Registration number", "Nombor pendaftaran", { rule: "keep-all" }),
  channel: field("code", "Channel", "Saluran", { rule: "authority" }),
  status: field("enum", "Status", "Status", {
    rule: "authority",
    options: [
      { value: "prospect", label: { en: "Prospect", ms: "Prospek" } },
      { value: "active", label: { en: "Active", ms: "Aktif" } },
      { value: "dormant", label: { en: "Dormant", ms: "Tidak aktif" } },
      { value: "closed", label: { en: "Closed", ms: "Tutup" } },
    ],
  }),
  address: field("words", "Address", "Alamat", { max: 300 }),
  town: field("words", "Town", "Bandar"),
  postcode: field("code", "Postcode", "Poskod", { max: 10 }),
  state: field("words", "State", "Negeri"),
  /** Degrees, WGS 84. The four belong together: write them in one edit, so that one rule picks all from one person. */
  lat: field("number", "Latitude", "Latitud", { min: -90, max: 90 }),
  lon: field("number", "Longitude", "Longitud", { min: -180, max: 180 }),
  uncertaintyMeters: field("number", "Uncertainty (m)", "Ketakpastian (m)", { min: 0, max: 1_000_000 }),
  coordinatesSource: field("words", "Source of coordinates", "Sumber koordinat"),
  territory: field("code", "Territory", "Wilayah", { ...office, rolesWhenEmpty: ["rep"] }),
  ownerRep: field("code", "Responsible rep", "Wakil bertanggungjawab", { ...office, rolesWhenEmpty: ["rep"] }),
  /** Integer sen. */
  creditLimitSen: field("integer", "Credit limit", "Had kredit", office),
  creditTermsDays: field("integer", "Credit terms (days)", "Tempoh kredit (hari)", { ...office, max: 365 }),
  creditHold: field("boolean", "Credit hold", "Kredit ditahan", office),
  /** The earliest day anybody knew of the outlet. */
  knownSince: field("date", "Known since", "Dikenali sejak", { rule: "min" }),
  lastVisitAt: field("time", "Last visit", "Lawatan terakhir", { rule: "max" }),
  visitCount: field("counter", "Visits", "Lawatan"),
  /** The key of the store that this one was merged into. */
  successor: field("code", "Merged into", "Digabung ke", { ...office, max: 200 }),
  tags: field("set", "Tags", "Tag"),
  contactName: field("words", "Contact", "Orang hubungan", row),
  contactPhone: field("words", "Phone", "Telefon", { ...row, max: 40 }),
  contactRole: field("words", "Position", "Jawatan", { ...row, max: 80 }),
  /** Rows `mon` … `sun` and `holiday`, such as `09:00-18:00`. */
  openingHours: field("words", "Opening hours", "Waktu buka", { ...row, max: 60 }),
  /** Assortment: rows are SKUs. */
  listed: field("boolean", "Listed", "Disenarai", { ...row, rule: "authority" }),
  priceSen: field("integer", "Shelf price", "Harga rak", row),
  facings: field("integer", "Facings", "Muka rak", { ...row, max: 10_000 }),
  parStock: field("integer", "Par stock", "Stok par", { ...row, max: 1_000_000, rule: "authority" }),
  stockCount: field("integer", "Last count", "Kiraan terakhir", { ...row, max: 1_000_000 }),
  /** Survey answers: rows are `form/question`. */
  answers: field("words", "Answers", "Jawapan", { ...row, max: 500 }),
  notes: field("text", "Notes", "Catatan"),
} as const;

export const storeMaster: DocumentDefinition = {
  kind: "store",
  label: { en: "Store", ms: "Kedai" },
  fields: storeFields,
  summary: [
    "name",
    "hqCode",
    "channel",
    "status",
    "address",
    "town",
    "postcode",
    "state",
    "lat",
    "lon",
    "uncertaintyMeters",
    "coordinatesSource",
    "territory",
    "ownerRep",
    "creditHold",
    "lastVisitAt",
    "successor",
  ],
};
