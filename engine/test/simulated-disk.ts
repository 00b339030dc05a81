import type { Files } from "../src/index.ts";
import { createMemoryFiles } from "../src/index.ts";

interface DiskOperation {
  readonly path: string;
  /** Null for a removal. */
  readonly bytes: Uint8Array | null;
}

/** Files that remember every operation, so that a test can ask how the disk looks after a stop at any of them. */
export interface SimulatedDisk extends Files {
  readonly operations: readonly DiskOperation[];
  /** Called before each write; what it throws fails the write, with nothing or half of it on the disk. */
  onWrite: ((path: string) => "keep" | "fail" | "half") | null;
  /**
   * The disk after the first `count` operations; `torn` cuts the write at an index to so many bytes, and what is `lost`
   * never reached it, though later operations did.
   */
  after(count: number, torn?: ReadonlyMap<number, number>, lost?: ReadonlySet<number>): Promise<Files>;
}

export function createSimulatedDisk(): SimulatedDisk {
  const files = createMemoryFiles();
  const operations: DiskOperation[] = [];
  const disk: SimulatedDisk = {
    operations,
    onWrite: null,
    list: (folder) => files.list(folder),
    read: (path) => files.read(path),
    write: async (path, bytes) => {
      const fate = disk.onWrite?.(path) ?? "keep";
      if (fate === "fail") throw new Error("ENOSPC: simulated");
      const kept = fate === "half" ? bytes.slice(0, bytes.length >> 1) : bytes.slice();
      await files.write(path, kept);
      operations.push({ path, bytes: kept });
      if (fate === "half") throw new Error("EIO: simulated");
    },
    remove: async (path) => {
      await files.remove(path);
      operations.push({ path, bytes: null });
    },
    after: async (count, torn = new Map(), lost = new Set()) => {
      const image = createMemoryFiles();
      for (const [index, { path, bytes }] of operations.slice(0, count).entries()) {
        if (lost.has(index)) continue;
        if (bytes === null) await image.remove(path);
        else await image.write(path, bytes.slice(0, torn.get(index) ?? bytes.length));
      }
      return image;
    },
  };
  return disk;
}
