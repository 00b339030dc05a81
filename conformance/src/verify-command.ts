import { operate } from "./relay-process.ts";

/** What `sampai verify` found in one part of a data folder. */
export interface Finding {
  readonly part: string;
  readonly sound: boolean;
  readonly says: string;
}

/** Runs `sampai verify DIR --json` to its end. Rejects where it ends without an answer. */
export async function verifyFolder(dir: string): Promise<{ sound: boolean; findings: readonly Finding[] }> {
  const output = await operate("verify", dir, "--json").catch((error: unknown) => {
    const { code, stdout } = error as { code?: number; stdout?: string };
    if (code === 1 && stdout !== undefined && stdout !== "") return stdout;
    throw error;
  });
  return JSON.parse(output) as { sound: boolean; findings: Finding[] };
}
