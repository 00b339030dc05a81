import type { PhoneProcess } from "../src/phone-process.ts";
import { pick } from "../src/seeded-random.ts";
import { until } from "../src/until.ts";
import type { PhotoPolicy } from "./shelf-photo.ts";

/** A good as the reference pack on the phone has it. */
export interface Good {
  readonly sku: string;
  readonly unit: string;
  readonly priceSen: number;
}

export interface Stop {
  readonly store: string;
  readonly name: string;
  readonly lat: number | null;
  readonly lon: number | null;
}

export interface Visit {
  readonly id: string;
  readonly order: string;
  readonly photo: string;
}

export interface PackOnPhone {
  readonly number: number;
  readonly goods: readonly Good[];
  readonly photo: PhotoPolicy;
}

/** Starts the day online and waits until facts, documents and the reference pack are where they belong. */
export async function startDay(phone: PhoneProcess): Promise<PackOnPhone> {
  await phone.ask("go-online");
  await phone.ask("capture", {
    kind: "attendanceStarted",
    body: { odometerKm: null },
    place: { missing: "timeout" },
  });
  await phone.ask("drain", { lanes: ["facts", "documents"], timeoutMs: 60_000 }, 65_000);
  return until("the reference pack on the phone", async () => (await phone.ask("pack")) as PackOnPhone | null, 30_000);
}

/** The first `count` stores of the phone's territory. */
export async function stopsOf(phone: PhoneProcess, count: number): Promise<Stop[]> {
  const list = await until(
    "the stores on the phone",
    async () => {
      const stores = (await phone.ask("list", { kind: "store" })) as { key: string }[];
      return stores.length >= count && stores;
    },
    30_000,
  );
  return Promise.all(
    list.slice(0, count).map(async ({ key }) => {
      const { value } = (await phone.ask("view", { kind: "store", key })) as {
        value: { name?: string; lat?: number | null; lon?: number | null };
      };
      return { store: key, name: value.name ?? key, lat: value.lat ?? null, lon: value.lon ?? null };
    }),
  );
}

const ACCURACY_METERS = 12;

/** Where the phone says it stands: at the store's recorded place, or why there is none. */
function placeAt(stop: Stop, random: () => number): object {
  if (stop.lat === null || stop.lon === null) return { missing: "timeout" };
  const wobble = () => (random() - 0.5) * 0.0002;
  return {
    lat: stop.lat + wobble(),
    lon: stop.lon + wobble(),
    accuracy: ACCURACY_METERS,
    age: Math.round(random() * 900),
    provider: "gps",
    mock: false,
  };
}

/** An order of `count` goods, as the body of its event. */
export function orderBody(goods: readonly Good[], count: number, random: () => number): object {
  const lines = pick(random, goods, count).map(({ sku, unit, priceSen }) => ({
    sku,
    quantity: 1 + Math.floor(random() * 6),
    unit,
    unitPriceSen: priceSen,
    scheme: null,
  }));
  return {
    lines,
    totalSen: lines.reduce((sum, { quantity, unitPriceSen }) => sum + quantity * unitPriceSen, 0),
    creditLimitSen: null,
    deliverOn: null,
    note: "",
  };
}

/** One visit as a rep makes it: check-in, order of 6–12 goods, shelf photo (a file), audit, activity, check-out. */
export async function makeVisit(
  phone: PhoneProcess,
  stop: Stop,
  goods: readonly Good[],
  photo: string,
  random: () => number,
): Promise<Visit> {
  const place = placeAt(stop, random);
  const capture = async (kind: string, visit: string | null, body: object) =>
    (
      (await phone.ask("capture", {
        kind,
        store: stop.store,
        place,
        body,
        ...(visit === null ? {} : { visit }),
      })) as { envelope: { id: string } }
    ).envelope.id;
  const visit = await capture("checkIn", null, { plan: null });
  const order = await capture("orderPlaced", visit, orderBody(goods, 6 + Math.floor(random() * 7), random));
  const taken = (await phone.ask("photo", {
    file: photo,
    visit,
    store: stop.store,
    purpose: "shelf",
    place,
  })) as { envelope: { id: string } };
  await capture("auditSubmitted", visit, {
    form: "shelf",
    version: 1,
    answers: { facings: 3 + Math.floor(random() * 9), outOfStock: random() < 0.3 },
  });
  await capture("activityCompleted", visit, {
    activity: "merchandising",
    minutes: 5 + Math.floor(random() * 20),
    note: "",
  });
  await capture("checkOut", visit, { outcome: "ordered" });
  return { id: visit, order, photo: taken.envelope.id };
}
