import type { CapacitorFilesystem } from "../adapters/capacitor-files.ts";

export type CapacitorPlatform = "android" | "ios";

interface PluginOperation {
  readonly path: string;
  /** Null for a removal. */
  readonly bytes: Uint8Array | null;
}

/**
 * `@capacitor/filesystem` as its native sources are written (ion-android-filesystem@11ef15d, ion-ios-filesystem@c35d468):
 * only base64 crosses the bridge; a write truncates in place and is not fsynced; iOS takes a path without an extension
 * for a folder, and has no error of its own for what is missing; calls that overlap are done in any order.
 */
export interface SimulatedCapacitor extends CapacitorFilesystem<"DATA"> {
  /** Everything that changed the flash, in the order in which it did. */
  readonly operations: readonly PluginOperation[];
  /** Files that a write found there already and overwrote. */
  readonly overwritten: readonly string[];
  /** What the next write does: nothing where it is null. */
  failNextWrite: "before" | "half" | null;
  /**
   * The flash after the first `count` operations; `torn` cuts the write at an index to so many bytes, and what is `lost`
   * never reached it, though later operations did.
   */
  after(count: number, torn?: ReadonlyMap<number, number>, lost?: ReadonlySet<number>): SimulatedCapacitor;
}

export function createSimulatedCapacitor(
  platform: CapacitorPlatform,
  image: ReadonlyMap<string, Uint8Array> = new Map(),
): SimulatedCapacitor {
  const files = new Map(image);
  const folders = new Set<string>();
  for (const path of files.keys()) addFolders(path.slice(0, path.lastIndexOf("/")));
  const operations: PluginOperation[] = [];
  const overwritten: string[] = [];
  let calls = 0;

  function addFolders(folder: string) {
    const parts = folder.split("/");
    for (let length = 1; length <= parts.length; length += 1) folders.add(parts.slice(0, length).join("/"));
  }
  /** Calls that were made together overtake each other. */
  const bridge = async () => {
    calls += 1;
    for (let turns = (calls * 7) % 3; turns > 0; turns -= 1) await Promise.resolve();
  };
  const missing = (method: string, path: string) => {
    if (platform === "ios")
      return failure("OS-PLUG-FILE-0013", `'${method}' failed with: The file couldn’t be opened.`);
    return failure("OS-PLUG-FILE-0008", `'${method}' failed because file at '${path}' does not exist.`);
  };
  const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

  const plugin: SimulatedCapacitor = {
    operations,
    overwritten,
    failNextWrite: null,
    mkdir: async ({ path, recursive }) => {
      await bridge();
      if (folders.has(path)) throw failure("OS-PLUG-FILE-0010", "Directory already exists, cannot be overwritten.");
      if (!recursive && path.includes("/")) throw failure("OS-PLUG-FILE-0011", "Missing parent directory.");
      addFolders(path);
    },
    readdir: async ({ path }) => {
      await bridge();
      if (!folders.has(path)) throw missing("readdir", path);
      const below = (other: string) => other.startsWith(`${path}/`) && !other.slice(path.length + 1).includes("/");
      const entries = (paths: Iterable<string>, type: string) =>
        [...paths].filter(below).map((other) => ({ name: other.slice(path.length + 1), type }));
      return { files: [...entries(folders, "directory"), ...entries(files.keys(), "file")] };
    },
    readFile: async ({ path }) => {
      await bridge();
      const found = files.get(path);
      if (found === undefined) throw missing("readFile", path);
      return { data: Buffer.from(found).toString("base64") };
    },
    writeFile: async ({ path, data, recursive }) => {
      await bridge();
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (platform === "ios" && !name.includes(".")) throw failure("OS-PLUG-FILE-0006", "Invalid path.");
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data))
        throw failure("OS-PLUG-FILE-0005", "The input parameters aren't valid.");
      const folder = path.slice(0, path.lastIndexOf("/"));
      if (!recursive && !folders.has(folder)) throw failure("OS-PLUG-FILE-0011", "Missing parent directory.");
      addFolders(folder);
      const fate = plugin.failNextWrite;
      plugin.failNextWrite = null;
      if (fate === "before") throw failure("OS-PLUG-FILE-0013", "'writeFile' failed with: no space left.");
      if (files.has(path)) overwritten.push(path);
      const whole = new Uint8Array(Buffer.from(data, "base64"));
      const bytes = fate === "half" ? whole.slice(0, whole.length >> 1) : whole;
      files.set(path, bytes);
      operations.push({ path, bytes });
      if (fate === "half") throw failure("OS-PLUG-FILE-0013", "'writeFile' failed with: no space left.");
    },
    deleteFile: async ({ path }) => {
      await bridge();
      if (!files.delete(path)) throw missing("deleteFile", path);
      operations.push({ path, bytes: null });
    },
    after: (count, torn = new Map(), lost = new Set()) => {
      const kept = new Map(image);
      for (const [index, { path, bytes }] of operations.slice(0, count).entries()) {
        if (lost.has(index)) continue;
        if (bytes === null) kept.delete(path);
        else kept.set(path, bytes.slice(0, torn.get(index) ?? bytes.length));
      }
      return createSimulatedCapacitor(platform, kept);
    },
  };
  return plugin;
}
