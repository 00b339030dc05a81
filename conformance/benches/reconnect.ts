import { sentenceOf } from "./contact.ts";
import { openOurContacts, openStockContacts } from "./corpus-contacts.ts";
import { atMost, type Bench } from "./measure.ts";

const DOCUMENTS = 500;

/** A phone comes back and nothing has changed: to a relay that was up all the time, and to one that was restarted. */
export const reconnect: Bench = {
  does: "a phone with 500 unchanged stores comes back, also after a restart: bytes and relay CPU, beside automerge-repo",
  run: async ({ say }) => {
    const our = await openOurContacts(DOCUMENTS);
    await our.leave();
    const hot = await our.reconnect();
    await our.leave();
    await our.restartRelay();
    const restarted = await our.reconnect();
    await our.compare();
    await our.close();
    say(sentenceOf("Sampai", `${DOCUMENTS} stores unchanged`, hot));
    say(sentenceOf("Sampai", "the same after a restart of the relay", restarted));
    const stock = await openStockContacts(our.masters);
    const stockHot = await stock.reconnect();
    say(sentenceOf("automerge-repo", `${DOCUMENTS} stores unchanged`, stockHot));
    await stock.restartServer();
    const stockRestarted = await stock.reconnect();
    say(sentenceOf("automerge-repo", "the same after a restart of the server", stockRestarted));
    await stock.close();
    return {
      bench: "reconnect",
      ours: { hot, restarted },
      stock: { hot: stockHot, restarted: stockRestarted },
      goals: [
        atMost("reconnect, 500 stores unchanged, bytes", hot.wireBytes, 1_024, "B"),
        atMost("reconnect, 500 stores unchanged, relay CPU", hot.serverCpuMs, 10, "ms"),
        atMost("reconnect after a restart, bytes", restarted.wireBytes, 1_024, "B"),
        atMost("reconnect after a restart, relay CPU", restarted.serverCpuMs, 10, "ms"),
      ],
    };
  },
};
