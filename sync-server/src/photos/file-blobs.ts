import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Blobs } from "./blobs.ts";

/** Blobs as files below one folder. Names are made by the relay; one that would leave the folder is a broken promise. */
export function createFileBlobs(folder: string): Blobs {
  const pathOf = (name: string) => {
    const full = path.join(folder, name);
    if (!full.startsWith(folder + path.sep)) throw new Error(`a blob's name leaves its folder: ${name}`);
    return full;
  };
  const place = async (name: string, fromPath: string) => {
    const to = pathOf(name);
    const made = await mkdir(path.dirname(to), { recursive: true });
    await syncPath(fromPath);
    await rename(fromPath, to);
    // The name is durable only when its folder is, and a new folder only when its parents are.
    await syncPath(path.dirname(to));
    if (made !== undefined) for (const parent of parentsOf(to, folder)) await syncPath(parent);
  };
  return {
    adopt: place,
    write: async (name, bytes) => {
      await mkdir(folder, { recursive: true });
      const unfinished = path.join(folder, `${randomUUID()}.unfinished`);
      const file = await open(unfinished, "wx");
      try {
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
      await place(name, unfinished);
    },
    read: async (name) => {
      try {
        return new Uint8Array(await readFile(pathOf(name)));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    remove: (name) => rm(pathOf(name), { force: true }),
    list: async function* () {
      for await (const file of filesBelow(folder)) {
        const found = await stat(file).catch(() => undefined);
        if (found !== undefined) {
          yield { name: path.relative(folder, file).split(path.sep).join("/"), writtenMs: found.mtimeMs };
        }
      }
    },
  };
}

async function syncPath(target: string): Promise<void> {
  const handle = await open(target, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parentsOf(file: string, folder: string): string[] {
  const parents: string[] = [];
  for (let at = path.dirname(path.dirname(file)); at.startsWith(folder); at = path.dirname(at)) parents.push(at);
  return parents;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const entry of entries) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(full);
    else yield full;
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";
