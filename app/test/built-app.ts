import path from "node:path";
import { build } from "vite";

/** Builds the app as it is now into `folder`, with its service worker. */
export async function buildApp(folder: string): Promise<void> {
  await build({
    configFile: path.join(import.meta.dirname, "../vite.config.ts"),
    logLevel: "silent",
    build: { outDir: folder, emptyOutDir: true },
  });
}
