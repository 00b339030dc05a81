import path from "node:path";
import type { PhoneProcess } from "./phone-process.ts";
import { ROOT } from "./relay-process.ts";
import { until } from "./until.ts";

/** A fact as the phone tells it. */
export interface PhoneFact {
  readonly hash: string;
  readonly state: string;
  readonly term: string | null;
  readonly position: number | null;
  readonly envelope: { readonly id: string; readonly kind: string; readonly run: string; readonly seq: number };
}

export const factsOf = async (phone: PhoneProcess): Promise<PhoneFact[]> => (await phone.ask("events")) as PhoneFact[];

/** A visit with one order, and a shelf photo where `photo` names one of the demo's. Answers the order's and photo's ids. */
export async function visitStore(
  phone: PhoneProcess,
  store: string,
  photo: string | null = null,
): Promise<{ visit: string; order: string; photo: string | null }> {
  const place = { missing: "timeout" };
  const capture = async (kind: string, visit: string | null, body: object) => {
    const visited = visit === null ? {} : { visit };
    const fact = (await phone.ask("capture", { kind, store, place, body, ...visited })) as PhoneFact;
    return fact.envelope.id;
  };
  const visit = await capture("checkIn", null, { plan: null });
  const order = await capture("orderPlaced", visit, {
    lines: [{ sku: "1", quantity: 3, unit: "1kg", unitPriceSen: 869, scheme: null }],
    totalSen: 2_607,
    creditLimitSen: null,
    deliverOn: null,
    note: "",
  });
  let taken: string | null = null;
  if (photo !== null) {
    const file = path.join(ROOT, "sync-server/demo/photos", photo);
    const fact = (await phone.ask("photo", { file, visit, store, purpose: "shelf", place })) as PhoneFact;
    taken = fact.envelope.id;
  }
  await capture("checkOut", visit, { outcome: "ordered" });
  return { visit, order, photo: taken };
}

/** The first store of the phone's territory. */
export async function firstStore(phone: PhoneProcess): Promise<string> {
  const stores = await until("stores on the phone", async () => {
    const list = (await phone.ask("list", { kind: "store" })) as { key: string }[];
    return list.length > 0 && list;
  });
  return (stores[0] as { key: string }).key;
}
