/**
 * PORT. Whole files, written once. Names are relative paths with `/`, always with an extension.
 * There is no rename and no append: on phones neither is safe.
 */
export interface Files {
  /** Names directly below `folder`, in no particular order; empty where the folder is not there. */
  list(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** MUST fail where the file is there already. MUST resolve only when the bytes are as durable as the platform can make them. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>;
}
