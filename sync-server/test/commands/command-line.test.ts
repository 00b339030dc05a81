import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { runCommandLine } from "../../src/commands/command-line.ts";
import { commands } from "../../src/commands/index.ts";
import { commandLine, inviteRep, newFolder, sampai } from "../relay-process.ts";

let dir: string;

before(async () => {
  dir = await newFolder();
  await inviteRep(dir);
});

test("every command refuses a word more than it takes, because it would be passed over", async (t) => {
  const told: string[] = [];
  t.mock.method(process.stderr, "write", (text: string) => told.push(text) > 0);
  for (const { name, positionals } of commands.filter((command) => !command.positionals.includes("…"))) {
    const taken = positionals.split(" ").filter((word) => word !== "");
    assert.equal(await runCommandLine([...name.split(" "), ...taken, "more"]), 2, name);
    assert.match(told.at(-1) ?? "", new RegExp(`"more" is too much: sampai ${name} takes`));
  }
});

test("a --json command that is refused answers one object that says why, and a sentence on stderr", async () => {
  const file = path.join(dir, "queue.rescue");
  await writeFile(file, "not a rescue file");
  const refused = await sampai("rescue", "import", file, "--dir", dir, "--json");
  assert.equal(refused.status, 1);
  assert.match(refused.err, /^rescue\.malformed: /);
  const { refused: why } = JSON.parse(refused.out) as { refused: { code: string; title: string } };
  assert.equal(why.code, "rescue.malformed");
  assert.match(why.title, /rescue file/);
  const misread = await sampai("day", "--dir", dir, "--rep", "R001", "--day", "someday", "--json");
  assert.equal(misread.status, 2);
  assert.deepEqual(JSON.parse(misread.out), {
    refused: {
      code: "usage",
      title: "This cannot be run as it was typed.",
      detail: "--day is a date such as 2026-11-25.",
    },
  });
  const noFolder = await sampai("rescue", "import", file, "--dir", file, "--json");
  assert.equal(noFolder.status, 2);
  assert.equal((JSON.parse(noFolder.out) as { refused: { code: string } }).refused.code, "usage");
  const keyless = await newFolder();
  await cp(dir, keyless, { recursive: true });
  await rm(path.join(keyless, "workspace.json"));
  const noKey = await sampai("rescue", "import", file, "--dir", keyless, "--json");
  assert.equal(noKey.status, 2);
  assert.equal((JSON.parse(noKey.out) as { refused: { code: string } }).refused.code, "workspace.missing");
  const plain = await sampai("rescue", "import", file, "--dir", dir);
  assert.equal(plain.out, "");
});

for (const words of [
  ["log", "export"],
  ["log", "tail"],
]) {
  test(`${words.join(" ")} ends quietly, with the status of a broken pipe, where nobody reads its answer any more`, async () => {
    const child = spawn(process.execPath, [commandLine, ...words, "--dir", dir]);
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", (text: Buffer) => (err += text.toString()));
    const [status] = (await once(child, "close")) as [number | null];
    assert.deepEqual([status, err], [141, ""]);
  });

  test(`${words.join(" ")} says in one sentence that its answer cannot be written, where the disk is full`, async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [commandLine, ...words, "--dir", dir], { stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    let err = "";
    child.stderr?.on("data", (text: Buffer) => (err += text.toString()));
    const [status] = (await once(child, "close")) as [number | null];
    assert.equal(status, 2);
    assert.match(err, /^Standard output cannot be written: ENOSPC: [^\n]*\n$/);
  });
}

test("verify checks every folder, also behind one that is not there, and ends with 2 in the end", async () => {
  const missing = path.join(dir, "missing");
  const { status, out, err } = await sampai("verify", dir, missing, dir, "--json");
  assert.equal(status, 2);
  assert.match(err, /missing holds no relay's data\.\n$/);
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { dir: string; sound?: boolean; refused?: object });
  assert.deepEqual(
    lines.map((line) => [line.dir, line.sound, line.refused !== undefined]),
    [
      [dir, true, false],
      [missing, undefined, true],
      [dir, true, false],
    ],
  );
});

test("a day of another year is told with its year", async () => {
  const { out } = await sampai("day", "--dir", dir, "--rep", "R001", "--day", "2031-01-01");
  assert.match(out, /^R001, 1 Jan 2031: not closed\./);
});
