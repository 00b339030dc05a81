import { readConfig } from "../config.ts";
import { openDataFolder, type DataFolder } from "../data-folder.ts";
import { folderWithData, openLogForReading } from "./open-for-reading.ts";
import { diskGaveOut } from "./serve.ts";

/**
 * Opens a data folder that is there for this command alone, where no relay works in it. A mistyped folder is refused, not
 * made. `isLife`: what is appended here is a life of the log of its own, as if a relay had started.
 */
export async function openFolderForWork(typed: string, isLife = false): Promise<DataFolder> {
  const dir = folderWithData(typed);
  // A lost database is not made anew in passing: only a relay that starts compares it with the head file and says so.
  openLogForReading(dir).close();
  return await openDataFolder(readConfig({ dir }, process.env), diskGaveOut, isLife);
}
