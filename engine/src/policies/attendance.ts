import { kindByName } from "../events/kinds/index.ts";
import { fail, notChecked, pass, type Policy } from "./policy.ts";

/** Visits happen inside the working day: after its start and before its end. */
export const attendance: Policy = {
  name: "attendance",
  version: 1,
  label: { en: "Within working day", ms: "Dalam hari bekerja" },
  applies: (event) => kindByName(event.kind)?.inVisit === true,
  judge: (event, context) => {
    if (context.attendance === null) {
      return notChecked({ en: "the rep's attendance is not known", ms: "kehadiran wakil tidak diketahui" });
    }
    const inputs = { attendance: context.attendance };
    switch (context.attendance) {
      case "started":
        return pass(inputs, "The working day was running.", "Hari bekerja sedang berjalan.");
      case "not-started":
        return fail(
          inputs,
          `${event.rep} had not started the day when this happened.`,
          `${event.rep} belum memulakan hari ketika ini berlaku.`,
        );
      case "ended":
        return fail(
          inputs,
          `${event.rep} had ended the day before this happened.`,
          `${event.rep} telah menamatkan hari sebelum ini berlaku.`,
        );
    }
  },
};
