import { sentenceOf } from "./contact.ts";
import { openOurContacts, openStockContacts } from "./corpus-contacts.ts";
import { pushAll } from "../src/relay-corpus.ts";
import { atMost, type Bench } from "./measure.ts";
import type { StoreMaster } from "../src/store-masters.ts";

const DOCUMENTS = 500;
const CHANGED = 5;
/** What a changed document may cost beside its delta, and what a contact costs where nothing changed. */
const BESIDE_BYTES = 300;
const CONTACT_BYTES = 1_024;

/** A phone comes back after few of many stores were changed. */
export const changed: Bench = {
  does: "a phone comes back after 5 of 500 stores were changed: bytes and relay CPU, beside automerge-repo",
  run: async ({ say }) => {
    const our = await openOurContacts(DOCUMENTS);
    await our.leave();
    const edited = Array.from({ length: CHANGED }, (_, index) => our.masters[index * 100] as StoreMaster);
    let deltaBytes = 0;
    for (const master of edited) {
      const change = master.edit();
      deltaBytes += change.length;
      await pushAll(our.writer(), master, [change]);
    }
    const ours = await our.reconnect();
    await our.compare();
    await our.close();
    say(sentenceOf("Sampai", `${CHANGED} of ${DOCUMENTS} stores changed, deltas of ${deltaBytes} B together`, ours));
    const stock = await openStockContacts(our.masters);
    await stock.edit(edited.map(({ doc }) => doc));
    const theirs = await stock.reconnect();
    await stock.close();
    say(sentenceOf("automerge-repo", `${CHANGED} of ${DOCUMENTS} stores changed`, theirs));
    const beside = (ours.wireBytes - CONTACT_BYTES - deltaBytes) / CHANGED;
    return {
      bench: "changed",
      ours: { ...ours, deltaBytes },
      stock: theirs,
      goals: [
        atMost("5 of 500 changed: bytes beside delta and contact, each", Math.max(0, beside), BESIDE_BYTES, "B"),
        atMost("5 of 500 changed: relay CPU", ours.serverCpuMs, 20, "ms"),
      ],
    };
  },
};
