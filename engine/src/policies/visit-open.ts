import { checkIn } from "../events/kinds/check-in.ts";
import { kindByName } from "../events/kinds/index.ts";
import { fail, notChecked, pass, type Policy } from "./policy.ts";

/** What belongs to a visit happens between its check-in and its check-out, by the same rep at the same store. */
export const visitOpen: Policy = {
  name: "visit-open",
  version: 1,
  label: { en: "Visit open", ms: "Lawatan dibuka" },
  applies: (event) => kindByName(event.kind)?.inVisit === true && event.kind !== checkIn.name,
  judge: (event, { visit }) => {
    if (visit === null) {
      return notChecked({ en: "the visit's check-in is not here", ms: "daftar masuk lawatan tiada di sini" });
    }
    const inputs = { visit: event.visit, state: visit.state, visitRep: visit.rep, visitStore: visit.store };
    if (visit.rep !== event.rep) {
      return fail(
        inputs,
        `The visit belongs to ${visit.rep}, not to ${event.rep}.`,
        `Lawatan ini milik ${visit.rep}, bukan ${event.rep}.`,
      );
    }
    if (visit.store !== event.store) {
      return fail(
        inputs,
        `The visit is at store ${visit.store}, this says ${event.store ?? "no store"}.`,
        `Lawatan ini di kedai ${visit.store}, tetapi dinyatakan ${event.store ?? "tiada kedai"}.`,
      );
    }
    if (visit.state === "closed") {
      return fail(
        inputs,
        "The visit was checked out before this happened.",
        "Lawatan telah didaftar keluar sebelum ini berlaku.",
      );
    }
    return pass(inputs, "The visit was open.", "Lawatan sedang dibuka.");
  },
};
