import assert from "node:assert/strict";
import { cp, link, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { databaseFile } from "../../src/database/connection.ts";
import { enrolAs, noisyPicture, photoTaker, tusOf } from "../photos-field.ts";
import { newFolder, sampai, serveRelay } from "../relay-process.ts";

let dir: string;
let folder: string;

before(async () => {
  folder = await newFolder();
  dir = path.join(folder, "live");
  const relay = await serveRelay(dir);
  const phone = await enrolAs(relay.url, dir, "R001", "rep");
  const photo = await photoTaker(phone).take(await noisyPicture(64, 48));
  assert.equal((await tusOf(relay.url, phone.token).send(photo, "original")).status, 204);
  await relay.end("SIGTERM");
});

const verified = (copy: string) => sampai("backup", "verified", "--dir", dir, "--copy", copy);
async function copied(name: string): Promise<string> {
  const copy = path.join(folder, name);
  await cp(dir, copy, { recursive: true });
  return copy;
}

test("a data folder is no backup of itself, also by another path or by a link to its database", async () => {
  const linked = path.join(folder, "linked");
  await symlink(dir, linked);
  const hard = path.join(folder, "hard");
  await mkdir(hard);
  await link(databaseFile(dir), databaseFile(hard));
  for (const copy of [dir, `${dir}/../live`, linked, hard]) {
    const { status, err, out } = await verified(copy);
    assert.deepEqual([status, out], [2, ""], copy);
    assert.match(err, /is the data folder itself, and no copy of it/);
  }
});

test("a copy that lacks a stored photo, or holds other bytes of it, is no backup", async () => {
  const without = await copied("without");
  await rm(path.join(without, "blobs"), { recursive: true });
  const { status, err } = await verified(without);
  assert.equal(status, 1);
  assert.match(
    err,
    /^backup\.copy: The copy is not whole, or not of this log\. \(photo .* has no readable file: ENOENT\)/,
  );
  const changed = await copied("changed");
  const blobs = path.join(changed, "blobs", "photos");
  const file = (await readdir(blobs, { recursive: true, withFileTypes: true })).find((entry) => entry.isFile());
  assert.ok(file);
  await writeFile(path.join(file.parentPath, file.name), "other bytes");
  const other = await verified(changed);
  assert.equal(other.status, 1);
  assert.match(other.err, /photo .* has a file of 11 bytes instead of/);
});

test("a copy without the workspace's file, and one of another workspace, are no backup", async () => {
  const without = await copied("keyless");
  await rm(path.join(without, "workspace.json"));
  const keyless = await verified(without);
  assert.equal(keyless.status, 2);
  assert.match(keyless.err, /has no workspace\.json that can be read: a relay cannot be restored from it\./);
  await writeFile(
    path.join(without, "workspace.json"),
    JSON.stringify({ id: "other", zone: "UTC", key: { x: "A".repeat(43) } }),
  );
  const foreign = await verified(without);
  assert.equal(foreign.status, 1);
  assert.match(foreign.err, /^backup\.copy: .*it is of the workspace other/);
});

test("a position is a number that was typed, and nothing is no position", async () => {
  for (const at of ["", " ", "-1", "0x10", "1e2", "x"]) {
    const { status, err } = await sampai("backup", "verified", "--dir", dir, `--at=${at}`);
    assert.equal(status, 2, at);
    assert.match(err, /--at is a position of the order log\./);
  }
});

test("a whole copy is a backup up to where it reaches", async () => {
  const { status, out, err } = await verified(await copied("whole"));
  assert.equal(status, 0, err);
  assert.ok((JSON.parse(out) as { position: number }).position > 1);
});
