import { createSystemClock } from "@sampai/engine/adapters/clock";
import { readConfig } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import type { ExpiryOffice } from "../privacy/expiry.ts";
import { diskGaveOut } from "./serve.ts";

/** Opens the data folder for this command alone, where no relay works in it, and gives it back. */
export async function withOffice<T>(dir: string, run: (office: ExpiryOffice) => Promise<T>): Promise<T> {
  const config = readConfig({ dir }, process.env);
  const folder = await openDataFolder(config, diskGaveOut, false);
  try {
    return await run({ ...folder, dir: config.dir, clock: createSystemClock() });
  } finally {
    await folder.close();
  }
}
