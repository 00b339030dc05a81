import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type Browser, type BrowserContext } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const SYSTEM = "/usr/bin/chromium";

let unpacked: Promise<string> | undefined;

/** The Chromium that `$CHROME` names, the system's, or the one that came as a package, unpacked once per process. */
async function executable(): Promise<string> {
  const named = process.env["CHROME"];
  if (named !== undefined && named !== "") return named;
  if (existsSync(SYSTEM)) return SYSTEM;
  unpacked ??= unpack();
  return unpacked;
}

async function unpack(): Promise<string> {
  // The package reuses whatever lies in the temporary folder, so it gets one of its own.
  const folder = mkdtempSync(path.join(tmpdir(), "sampai-chromium-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    const { default: packaged } = await import("@sparticuz/chromium");
    return await packaged.executablePath();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

/** Starts a Chromium without a profile. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await executable(), args: ARGUMENTS });
}

/** Starts a Chromium on a profile that outlives it. */
export async function startChromiumOn(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, { executablePath: await executable(), args: ARGUMENTS });
}
