import type { PhoneProcess } from "../src/phone-process.ts";
import { pick } from "../src/seeded-random.ts";
import { makePhoneSizedPhoto, type PhotoPolicy } from "./shelf-photo.ts";

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

/** One visit as a rep makes it: check-in, order of 6–12 goods, shelf photo, audit, activity, check-out. */
export async function makeVisit(
  phone: PhoneProcess,
  stop: Stop,
  goods: readonly Good[],
  photo: {
    name: string;
    mark: string;
    policy: PhotoPolicy;
    file: string;
    save: (file: string, bytes: Uint8Array) => Promise<void>;
  },
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
  const lines = pick(random, goods, 6 + Math.floor(random() * 7)).map(({ sku, unit, priceSen }) => ({
    sku,
    quantity: 1 + Math.floor(random() * 6),
    unit,
    unitPriceSen: priceSen,
    scheme: null,
  }));
  const order = await capture("orderPlaced", visit, {
    lines,
    totalSen: lines.reduce((sum, { quantity, unitPriceSen }) => sum + quantity * unitPriceSen, 0),
    creditLimitSen: null,
    deliverOn: null,
    note: "",
  });
  await photo.save(photo.file, await makePhoneSizedPhoto(photo.name, photo.mark, photo.policy));
  const taken = (await phone.ask("photo", {
    file: photo.file,
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
