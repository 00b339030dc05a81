import { refusals } from "@sampai/engine/wire";
import { CannotStart, stopReasons } from "../stop-reasons.ts";
import type { BadUsage } from "./command.ts";
import { Refused } from "./operator.ts";

/** What a `--json` command answers instead of its own object. `usage`: it cannot be run as it was typed. */
export function refusedObject(error: BadUsage | CannotStart | Refused): { readonly refused: object } {
  if (error instanceof Refused) {
    const { code, detail } = error.refusal;
    return { refused: { code, title: refusals[code].meaning, ...(detail === undefined ? {} : { detail }) } };
  }
  if (error instanceof CannotStart) {
    const { code, detail } = error;
    return { refused: { code, title: stopReasons[code], detail } };
  }
  return { refused: { code: "usage", title: "This cannot be run as it was typed.", detail: error.message } };
}
