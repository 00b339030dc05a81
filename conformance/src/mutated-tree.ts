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
 * Copies engine and relay into `root`, a new folder, and plants faults in the copy, so that the product itself needs no
 * switch for them.
 */
export async function mutatedTree(root: string, mutations: readonly Mutation[]): Promise<void> {
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
  for (const { file, find, replace } of mutations) {
    const copy = path.join(root, file);
    const parts = (await readFile(copy, "utf8")).split(find);
    if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what is to be changed: ${find}`);
    await writeFile(copy, parts.join(replace));
  }
}
