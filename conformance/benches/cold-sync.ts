import { sentenceOf } from "./contact.ts";
import { openOurContacts, openStockContacts } from "./corpus-contacts.ts";
import { atMost, type Bench } from "./measure.ts";

const DOCUMENTS = 500;

/** A phone that has nothing gets a whole territory: bytes behind the 101, and what it costs the relay's processor. */
export const coldSync: Bench = {
  does: "a new phone gets 500 stores: bytes and relay CPU, beside automerge-repo",
  run: async ({ say }) => {
    const ours = await openOurContacts(DOCUMENTS);
    await ours.compare();
    await ours.close();
    say(sentenceOf("Sampai", `cold sync of ${DOCUMENTS} stores`, ours.cold));
    const stock = await openStockContacts(ours.masters);
    await stock.close();
    say(sentenceOf("automerge-repo", `cold sync of ${DOCUMENTS} stores`, stock.cold));
    return {
      bench: "cold-sync",
      ours: ours.cold,
      stock: stock.cold,
      goals: [
        atMost("cold sync of 500 stores, bytes", ours.cold.wireBytes / 1e6, 0.6, "MB"),
        atMost("cold sync of 500 stores, relay CPU", ours.cold.serverCpuMs, 50, "ms"),
      ],
    };
  },
};
