import { startAutomerge } from "@sampai/engine/adapters/automerge";
import { AssertionError } from "node:assert/strict";
import type { SeedReport, Suite } from "../suite.ts";
import { runHistory } from "./history.ts";
import { judge } from "./judge.ts";

await startAutomerge();

const SIZE = { devices: 20, steps: 160 };

export const converge: Suite = {
  name: "converge",
  does: "20 devices, three clients of automerge-repo and a relay edit, cut, crash and move between territories; healed, all agree and nothing is missing.",
  run: async (seed): Promise<SeedReport> => {
    const history = await runHistory(seed, SIZE);
    try {
      return { failure: null, figures: await judge(history) };
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      return { failure: error.message.slice(0, 2_000), figures: history.figures };
    }
  },
};
