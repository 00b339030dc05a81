import { mkdir, open, readdir, readFile, unlink, type FileHandle } from "node:fs/promises";
import path from "node:path";
import type { Files } from "../src/storage/files.ts";

/**
 * Files below `root` over node:fs. A write is durable when it resolves: the file is fsynced, then the folder that
 * names it (fsync(2): the entry in the folder needs a sync of its own).
 */
export function createNodeFiles(root: string): Files {
  const knownFolders = new Set<string>();
  const locate = (name: string): string => {
    const full = path.join(root, name);
    if (full !== root && !full.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
      throw new Error(`${name} lies outside ${root}`);
    return full;
  };
  const makeFolder = async (folder: string): Promise<void> => {
    if (knownFolders.has(folder)) return;
    const first = await mkdir(folder, { recursive: true });
    if (first !== undefined) {
      // Every folder that was made is an entry in the one above it.
      for (let made = folder; made.length >= first.length; made = path.dirname(made)) await sync(path.dirname(made));
    }
    knownFolders.add(folder);
  };
  return {
    list: async (folder) => {
      try {
        const entries = await readdir(locate(folder), { withFileTypes: true });
        return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    read: async (name) => {
      try {
        const bytes = await readFile(locate(name));
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    write: async (name, bytes) => {
      const full = locate(name);
      await makeFolder(path.dirname(full));
      const handle = await open(full, "wx", 0o600);
      try {
        await writeWhole(handle, bytes);
      } catch (error) {
        // A full disk is not helped by half a file. If it cannot be removed either, its checksum tells.
        await unlink(full).catch(() => {});
        throw error;
      }
      await sync(path.dirname(full));
    },
    remove: async (name) => {
      try {
        await unlink(locate(name));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sync(folder: string): Promise<void> {
  // Windows cannot open a folder; there the file's own sync has to do.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
