// Brings node_modules in line with package-lock.json. Plain JavaScript for Node >= 18, because it runs
// before the pinned Node 24 (an npm package of its own) is there. `npm ci` refuses this lock wherever a
// registry lacks an optional platform package, so this is `npm install` with the lock kept as it is.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stamp = path.join(root, "node_modules", ".setup-stamp");
const lockHash = createHash("sha256")
  .update(readFileSync(path.join(root, "package-lock.json")))
  .digest("hex");
const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
if (installed !== lockHash) {
  console.log("Installing packages (once per change of the lock file) …");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const run = spawnSync(npm, ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (run.status !== 0) {
    console.error("npm install did not succeed. Check the network and the registry setting, then try again.");
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, lockHash);
}
