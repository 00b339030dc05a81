import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "./temporary-folder.ts";
import { RawWriter } from "./raw-writer.ts";
import { enrolmentCode, startRelay } from "./relay-process.ts";

/** The relay under judgement: one that runs somewhere, or one of ours that is started for it. */
export interface Target {
  readonly url: string;
  /** A newly enrolled device of a rep who shares a territory with nobody. */
  writer(): Promise<RawWriter>;
  close(): Promise<void>;
}

/**
 * Judges the relay at `SAMPAI_TARGET_URL`, whose operator gave one-time enrolment codes of reps in
 * `SAMPAI_TARGET_CODES` (separated by commas, one for each rule that is judged, each rep in a territory of his own);
 * else starts this project's own.
 */
export async function openTarget(): Promise<Target> {
  const url = process.env["SAMPAI_TARGET_URL"];
  if (url !== undefined) {
    const codes = (process.env["SAMPAI_TARGET_CODES"] ?? "").split(",").filter((code) => code !== "");
    return {
      url,
      writer: () => {
        const code = codes.shift();
        if (code === undefined) throw new Error("no enrolment code is left: give more of them");
        return RawWriter.enrol(url, code);
      },
      close: () => Promise.resolve(),
    };
  }
  const folder = await temporaryFolder("conformance");
  const dir = path.join(folder, "relay");
  const relay = await startRelay(dir);
  let people = 0;
  return {
    url: relay.url,
    writer: async () => {
      people += 1;
      const person = `R${String(people).padStart(3, "0")}`;
      const add = { name: `Rep ${people}`, role: "rep", territory: `T${people}` };
      return RawWriter.enrol(relay.url, await enrolmentCode(dir, person, add));
    },
    close: async () => {
      await relay.process.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
