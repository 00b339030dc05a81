import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type Browser } from "playwright-core";

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

/** Starts a Chromium: the one that `$CHROME` names, the system's, or the one that came as a package. */
export async function startChromium(): Promise<Browser> {
  const named = process.env["CHROME"];
  if (named !== undefined && named !== "") return chromium.launch({ executablePath: named, args: ARGUMENTS });
  if (existsSync(SYSTEM)) return chromium.launch({ executablePath: SYSTEM, args: ARGUMENTS });
  // The package unpacks into the temporary folder and reuses whatever lies there, so it gets one of its own.
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-chromium-"));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    const { default: packaged } = await import("@sparticuz/chromium");
    const browser = await chromium.launch({ executablePath: await packaged.executablePath(), args: ARGUMENTS });
    browser.on("disconnected", () => void rm(folder, { recursive: true, force: true }).catch(() => undefined));
    return browser;
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}
