import { createSystemClock } from "@sampai/engine/adapters/clock";
import path from "node:path";
import type { ExpiryOffice } from "../privacy/expiry.ts";
import { openFolderForWork } from "./open-for-work.ts";

/** Opens the data folder for this command alone, where no relay works in it, and gives it back. */
export async function withOffice<T>(dir: string, run: (office: ExpiryOffice) => Promise<T>): Promise<T> {
  const folder = await openFolderForWork(dir);
  try {
    return await run({ ...folder, dir: path.resolve(dir), clock: createSystemClock() });
  } finally {
    await folder.close();
  }
}
