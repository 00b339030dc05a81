import type { Files } from "./files.ts";
import { decodeSegment } from "./segment-file.ts";

/** A file that was whole when the storage was opened cannot be read any more. */
export class DamagedSegment extends Error {
  override readonly name = "DamagedSegment";
}

export interface FileCache {
  /** The whole file, checked. Rejects with `DamagedSegment` where it is damaged. */
  read(path: string): Promise<Uint8Array>;
  forget(path: string): void;
}

/** Keeps the files read last, `capacityBytes` of them, so that neighbouring values cost one read. */
export function createFileCache(files: Files, capacityBytes: number): FileCache {
  const kept = new Map<string, Uint8Array>();
  let keptBytes = 0;
  const forget = (path: string) => {
    keptBytes -= kept.get(path)?.length ?? 0;
    kept.delete(path);
  };
  return {
    read: async (path) => {
      const known = kept.get(path);
      if (known !== undefined) {
        // A Map keeps the order of insertion: what was read last stands last.
        kept.delete(path);
        kept.set(path, known);
        return known;
      }
      const file = await files.read(path);
      if (file === undefined) throw new DamagedSegment(`${path} is gone`);
      const decoded = decodeSegment(file);
      if (!decoded.ok) throw new DamagedSegment(`${path}: ${decoded.error}`);
      forget(path);
      kept.set(path, file);
      keptBytes += file.length;
      for (const oldest of kept.keys()) {
        if (keptBytes <= capacityBytes) break;
        forget(oldest);
      }
      return file;
    },
    forget,
  };
}
