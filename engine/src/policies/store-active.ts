import { kindByName } from "../events/kinds/index.ts";
import { fail, notChecked, pass, type Policy } from "./policy.ts";

/** The store was active in the master that the rep saw. */
export const storeActive: Policy = {
  name: "store-active",
  version: 1,
  label: { en: "Store active", ms: "Kedai aktif" },
  applies: (event) => kindByName(event.kind)?.inVisit === true,
  judge: (event, { store }) => {
    if (store === null || store.status === null) {
      return notChecked({
        en: "the store master that the rep saw is not here",
        ms: "rekod kedai yang dilihat wakil tiada di sini",
      });
    }
    const inputs = { store: event.store, status: store.status };
    if (store.status === "active") return pass(inputs, "The store was active.", "Kedai adalah aktif.");
    return fail(
      inputs,
      `Store ${event.store ?? ""} had the status "${store.status}", not "active".`,
      `Kedai ${event.store ?? ""} berstatus "${store.status}", bukan "active".`,
    );
  },
};
