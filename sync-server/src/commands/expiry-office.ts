import { createSystemClock } from "@sampai/engine/adapters/clock";
import path from "node:path";
import type { ExpiryDone, ExpiryOffice } from "../privacy/expiry.ts";
import { sweepFolder } from "../privacy/sweep.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { print } from "./print.ts";

/** Opens the data folder for this command alone, where no relay works in it, and gives it back. */
export async function withOffice<T>(dir: string, run: (office: ExpiryOffice) => Promise<T>): Promise<T> {
  const folder = await openFolderForWork(dir);
  try {
    return await run({ ...folder, dir: path.resolve(dir), clock: createSystemClock() });
  } finally {
    await folder.close();
  }
}

/** Sweeps where the folder is this command's alone, and says what was done. */
export function tellExpiry(
  dir: string,
  done: ExpiryDone,
  relayWorks: boolean,
  about: { readonly person?: string },
): void {
  const nothing = done.decisions.length === 0;
  const swept = !relayWorks && !nothing;
  if (swept) sweepFolder(dir);
  if (nothing) process.stderr.write("There is nothing to remove, so nothing was decided and nothing was written.\n");
  print(JSON.stringify({ ...about, ...done, swept }));
}
