import { operate } from "./relay-process.ts";

/** What `sampai verify` found in one part of a data folder. */
export interface Finding {
  readonly part: string;
  readonly sound: boolean;
  readonly says: string;
}

export interface Verified {
  readonly dir: string;
  readonly sound: boolean;
  readonly findings: readonly Finding[];
}

/** Runs `sampai verify DIR --json` to its end. Rejects where it ends without an answer. */
export async function verifyFolder(dir: string): Promise<Verified> {
  const [verified] = await verifyFolders([dir]);
  if (verified === undefined) throw new Error(`${dir} was not verified`);
  return verified;
}

/** The same for several folders in one go, one after the other. */
export async function verifyFolders(dirs: readonly string[]): Promise<readonly Verified[]> {
  const output = await operate("verify", ...dirs, "--json").catch((error: unknown) => {
    const { code, stdout } = error as { code?: number; stdout?: string };
    if (code === 1 && stdout !== undefined && stdout !== "") return stdout;
    throw error;
  });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Verified);
}
