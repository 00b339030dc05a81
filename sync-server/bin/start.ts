// `npm start`: everything on this machine, with a demo workspace of real Malaysian stores.
import path from "node:path";
import { print } from "../src/commands/print.ts";
import { diskGaveOut } from "../src/commands/serve.ts";
import { untilStopped } from "../src/commands/until-stopped.ts";
import { readConfig } from "../src/config.ts";
import { buildApp } from "../src/demo/app-build.ts";
import { demoLinks, importDemo } from "../src/demo/demo-workspace.ts";
import { freePort } from "../src/demo/free-port.ts";
import { startRelay } from "../src/main.ts";
import { CannotStart } from "../src/stop-reasons.ts";

process.umask(0o077);
const root = path.join(import.meta.dirname, "../..");
const roleNames: Readonly<Record<string, string>> = { rep: "Rep", supervisor: "Supervisor", hq: "Headquarters" };
const shown = (dir: string) => (dir.startsWith(root) ? path.relative(root, dir) : dir);

try {
  const given = process.env["SAMPAI_APP"];
  const app = given === undefined ? await buildApp(root, print) : { state: "fresh" as const, folder: given };
  if (app.state === "none") print("The app has no sources here, so only the relay is served.");
  if (app.state === "failed") print(`The app could not be built, so only the relay is served.\n${app.said}`);

  const host = process.env["HOST"] ?? "127.0.0.1";
  const port = await freePort(Number(process.env["PORT"] ?? 8080), host);
  const dir = process.env["SAMPAI_DIR"] ?? path.join(root, ".data/demo");
  const served = "folder" in app ? { app: app.folder } : {};
  const config = readConfig({ dir, host, port: String(port), logLevel: "warn", ...served }, process.env);
  const relay = await startRelay(config, diskGaveOut);
  const imported = await importDemo(relay, path.join(root, "sync-server/demo"));
  if (!imported) print("The demo workspace could not be imported.");
  const links = await demoLinks(relay);

  print(`\nSampai is running at ${relay.url}   (Ctrl-C stops it; its data stays in ${shown(dir)})\n`);
  if (links.length > 0) print("Each link enrols one device, once. Open each in a browser profile of its own:\n");
  for (const { role, name, person, link } of links) {
    print(`  ${(roleNames[role] ?? role).padEnd(13)} ${`${name} (${person})`.padEnd(20)} ${link}`);
  }
  print();
  await untilStopped(async () => {
    print("\nStopping …");
    await relay.stop();
  });
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
