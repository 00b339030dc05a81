/**
 * PORT. An ordered key space on this device: read, range, one atomic commit, close.
 * Keys are text of at most 200 characters out of `[A-Za-z0-9._/-]`, ordered by code unit.
 */
export interface Storage {
  /** The value under `key`, or undefined. The bytes MUST NOT be changed by the caller. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Every entry whose key starts with `prefix`, in key order. */
  range(prefix: string): Promise<readonly StorageEntry[]>;
  /**
   * Makes all writes durable together or none of them. MUST resolve only when a restart of the app would find them,
   * and MUST reject when that cannot be promised; after a rejection the caller must assume that they may or may not
   * be there. Commits take effect in the order of the calls.
   */
  commit(writes: readonly StorageWrite[]): Promise<void>;
  close(): Promise<void>;
  /** What could not be read when it was opened; absent where the platform keeps whole values or none. */
  readonly damage?: readonly StorageDamage[];
}

export interface StorageEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** `value: null` removes the key. */
export interface StorageWrite {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What a storage found damaged when it was opened. Good entries around it are kept; nothing is hidden. */
export interface StorageDamage {
  /** The file (or row) that could not be read, by the name its platform gives it. */
  readonly where: string;
  /** `unfinished`: the last write before a stop, which was never answered; nothing that was promised is missing. */
  readonly reason: "torn" | "checksum" | "unreadable" | "unfinished";
  readonly bytes: number;
}
