import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import { isLocked, lockFolder } from "../../src/database/lock.ts";
import { newFolder } from "../relay-process.ts";

test("whether a folder is taken is asked without making, taking or keeping anything", async () => {
  const dir = await newFolder();
  assert.equal(isLocked(dir), false);
  assert.equal(existsSync(path.join(dir, "lock.sqlite")), false);
  const unlock = lockFolder(dir);
  assert.equal(isLocked(dir), true);
  assert.throws(() => lockFolder(dir), { code: "folder.locked" });
  unlock();
  assert.equal(isLocked(dir), false);
  lockFolder(dir)();
});

test("a folder is taken while a process of its own holds it, and free when that was killed", async () => {
  const dir = await newFolder();
  const lock = new URL("../../src/database/lock.ts", import.meta.url).href;
  const holds = `const { lockFolder } = await import(${JSON.stringify(lock)});
    lockFolder(${JSON.stringify(dir)}); console.log("held"); setInterval(() => undefined, 60_000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "--eval", holds]);
  await once(holder.stdout, "data");
  assert.equal(isLocked(dir), true);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  assert.equal(isLocked(dir), false);
});

test("a database that is not there is said to be unreadable, and is not made", async () => {
  const dir = await newFolder();
  assert.throws(() => openForReading(dir), { code: "database.unreadable" });
  assert.equal(existsSync(path.join(dir, "relay.sqlite")), false);
});
