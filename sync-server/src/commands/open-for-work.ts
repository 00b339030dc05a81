import { readConfig } from "../config.ts";
import { openDataFolder, type DataFolder } from "../data-folder.ts";
import { folderWithData } from "./open-for-reading.ts";
import { diskGaveOut } from "./serve.ts";

/**
 * Opens a data folder that is there for this command alone, where no relay works in it. A mistyped folder is refused, not
 * made. `isLife`: what is appended here is a life of the log of its own, as if a relay had started.
 */
export function openFolderForWork(dir: string, isLife = false): Promise<DataFolder> {
  return openDataFolder(readConfig({ dir: folderWithData(dir) }, process.env), diskGaveOut, isLife);
}
