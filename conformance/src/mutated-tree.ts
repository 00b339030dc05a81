import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { ROOT } from "./relay-process.ts";

/** A planted fault. `find` MUST stand in the file exactly once. */
export interface Mutation {
  /** From the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const ROOMS = ["engine", "sync-server"];
const LINKED = "@sampai";

/**
 * Copies engine and relay into `root`, a new folder, and plants faults in the copy, each in a file of its own, so that
 * the product itself needs no switch for them. Rejects, and copies nothing, where a fault does not fit.
 */
export async function mutatedTree(root: string, mutations: readonly Mutation[]): Promise<void> {
  const planted = await Promise.all(mutations.map(plant));
  const modules = path.join(ROOT, "node_modules");
  await mkdir(path.join(root, "node_modules", LINKED), { recursive: true });
  for (const room of ROOMS) {
    await cp(path.join(ROOT, room), path.join(root, room), { recursive: true });
    // The copy's rooms import each other, and not those that they were copied from.
    await symlink(path.join(root, room), path.join(root, "node_modules", LINKED, room));
  }
  for (const name of await readdir(modules)) {
    if (name !== LINKED) await symlink(path.join(modules, name), path.join(root, "node_modules", name));
  }
  for (const { file, text } of planted) await writeFile(path.join(root, file), text);
}

async function plant({ file, find, replace }: Mutation): Promise<{ readonly file: string; readonly text: string }> {
  const parts = (await readFile(path.join(ROOT, file), "utf8")).split(find);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what is to be changed: ${find}`);
  return { file, text: parts.join(replace) };
}
