import { dayIn, msFromUtc } from "../core/clock.ts";
import { dayClosed } from "../events/kinds/day-closed.ts";
import { fail, notChecked, packMissing, pass, type Policy } from "./policy.ts";

/** Nothing happens on a day that the rep had closed already; closing it again is how it is reopened. */
export const closedPeriod: Policy = {
  name: "closed-period",
  version: 1,
  label: { en: "Day not closed", ms: "Hari belum ditutup" },
  applies: (event) => event.kind !== dayClosed.name,
  judge: (event, { pack, closedDays }) => {
    if (pack === null) return packMissing(event);
    if (closedDays === null) {
      return notChecked({ en: "the rep's closed days are not known", ms: "hari ditutup wakil tidak diketahui" });
    }
    const day = dayIn(msFromUtc(event.at), pack.zone);
    if (!closedDays.has(day)) return pass({ day }, "The day was open.", "Hari masih dibuka.");
    return fail(
      { day },
      `${event.rep} had closed ${day} before this happened.`,
      `${event.rep} telah menutup ${day} sebelum ini berlaku.`,
    );
  },
};
