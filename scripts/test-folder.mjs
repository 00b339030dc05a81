import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const folder = mkdtempSync(path.join(tmpdir(), "sampai-test-"));

/** All test files of a run make their folders in one, so that a run leaves none behind. */
export function globalSetup() {
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = folder;
}

export function globalTeardown() {
  rmSync(folder, { recursive: true, force: true });
}
