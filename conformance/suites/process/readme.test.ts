import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { promisify } from "node:util";
import { ROOT } from "../../src/relay-process.ts";

const run = promisify(execFile);
const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

test("X1 every command of the README is there", () => {
  const named = [...readme.matchAll(/npm (?:run )?([a-z]+)/g)].map(([, name]) => name as string);
  assert.ok(named.length > 8);
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

test("X1 every file and folder that the README names is there", () => {
  const named = [...readme.matchAll(/`((?:engine|sync-server|app|conformance)\/[\w./-]*\w\/?)`/g)].map(
    ([, name]) => name as string,
  );
  assert.ok(named.length >= 8);
  assert.deepEqual(
    named.filter((name) => !existsSync(path.join(ROOT, name))),
    [],
  );
});

for (const name of ["demo", "drill", "bench", "conformance", "simulate", "phone", "sampai"]) {
  test(`X1 npm run ${name} -- --help says what it does`, async () => {
    const { stdout } = await run("npm", ["run", "--silent", name, "--", "--help"], { cwd: ROOT });
    assert.match(stdout, /npm run|sampai COMMAND/);
  });
}

test("X1 npm start prints one link each for rep, supervisor and headquarters, and stops when it is told to", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-start-"));
  const child = spawn(process.execPath, [path.join(ROOT, "sync-server/bin/start.ts")], {
    cwd: ROOT,
    env: { ...process.env, SAMPAI_DIR: folder, PORT: "8181" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const links = new Map<string, string>();
    for await (const line of createInterface({ input: child.stdout })) {
      const found = /^ {2}(Rep|Supervisor|Headquarters) .*(http:\S+\/enrol#\w+)$/.exec(line);
      if (found !== null) links.set(found[1] as string, found[2] as string);
      if (links.size === 3) break;
    }
    assert.deepEqual([...links.keys()], ["Rep", "Supervisor", "Headquarters"]);
    const page = await fetch(new URL("/", links.get("Rep")));
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<div id="root">|<title>Sampai/);
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  } finally {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
});

test("X1 every operator's command of the README runs as it is written", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-readme-"));
  const dir = path.join(folder, "data");
  const file = path.join(folder, "queue.rescue");
  await writeFile(file, "not a rescue file");
  const block = /```sh\n(npm run sampai[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const lines = block
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, ""));
  assert.ok(lines.length > 8);
  const words = (line: string) =>
    [...line.replace("npm run sampai -- ", "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) =>
      (quoted ?? plain ?? "")
        .replace("DATA", dir)
        .replace("OFFLINE-ID", "01936a5e-0000-7000-8000-000000000001")
        .replace("FILE", file),
    );
  // These are asked about something that is not there: they must say so, and not that they were asked wrongly.
  const badNews = /^(trail|day|log prove|rescue import) /;
  try {
    for (const line of lines.filter((text) => !text.includes(" serve "))) {
      const asked = words(line);
      const outcome = await run(process.execPath, [path.join(ROOT, "sync-server/bin/sampai.ts"), ...asked], {
        cwd: ROOT,
      }).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
      assert.equal(
        outcome,
        badNews.test(`${asked.slice(0, 2).join(" ")} `) || badNews.test(`${asked[0]} `) ? 1 : 0,
        line,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
