/**
 * PORT. Whole files by name, written once. Names are relative paths with `/`.
 */
export interface Blobs {
  /**
   * Takes over a local file under `name`, replacing what an unfinished try may have left there. MUST resolve only when
   * bytes and name survive a power cut.
   */
  adopt(name: string, fromPath: string): Promise<void>;
  /** The same for bytes in memory. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** The bytes, or undefined where there is no such blob. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** Every name with the time it was written, in milliseconds since 1970. */
  list(): AsyncIterable<{ readonly name: string; readonly writtenMs: number }>;
}
