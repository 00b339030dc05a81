import type { Verdict } from "@sampai/engine";
import type { LogItem } from "./follower.ts";

/** What the log itself says of an event, as verdicts: it was placed all the same, and a person should look. */
export function leafVerdicts({ flags, event, device }: LogItem, person: string | null): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  const fail = (rule: string, inputs: Verdict["inputs"], en: string, ms: string) =>
    verdicts.push({ rule, version: 1, verdict: "fail", inputs, sentence: { en, ms } });
  if (event === null) {
    fail(
      "readable",
      { flags },
      "The bytes can be read in more than one way, or in none. They are kept as they came.",
      "Bait ini boleh dibaca dengan lebih daripada satu cara, atau tidak boleh dibaca. Ia disimpan seperti diterima.",
    );
  }
  if (flags.includes("id-reused")) {
    fail(
      "id-once",
      { id: event?.id ?? null },
      "This offline id stands in the log with other content. The first one counts.",
      "ID luar talian ini sudah ada dalam log dengan kandungan lain. Yang pertama dikira.",
    );
  }
  if (flags.includes("branch")) {
    fail(
      "one-branch",
      { device },
      "Another event of this phone has the same number: it was restored from a backup or copied.",
      "Peristiwa lain telefon ini mempunyai nombor yang sama: ia dipulihkan daripada sandaran atau disalin.",
    );
  }
  if (event !== null && person !== null && person !== event.rep) {
    fail(
      "author",
      { device, enrolled: person, says: event.rep },
      `The event says ${event.rep}, but the phone is ${person}'s.`,
      `Peristiwa menyatakan ${event.rep}, tetapi telefon ini milik ${person}.`,
    );
  }
  return verdicts;
}
