import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { newFolder, sampai } from "./relay-process.ts";
import { enrolPhone } from "./wire-phone.ts";

const start = path.join(import.meta.dirname, "../bin/start.ts");

/** Runs the start command until its links are printed; `stop` presses Ctrl-C and answers the exit status. */
async function started(dir: string, app: string) {
  const env = { ...process.env, SAMPAI_DIR: dir, SAMPAI_APP: app, PORT: "18700" };
  const child = spawn(process.execPath, [start], { env });
  let out = "";
  const ended = once(child, "exit") as Promise<[number | null]>;
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      out += text.toString();
      if (/Headquarters .*enrol#\S+\n/.test(out)) resolve();
    });
  });
  await Promise.race([ready, ended]);
  const links = [...out.matchAll(/(http:\S+)\/enrol#(\S+)/g)].map(([, url, code]) => ({
    url: url ?? "",
    code: code ?? "",
  }));
  return {
    out,
    links,
    stop: async () => {
      child.kill("SIGINT");
      return (await ended)[0];
    },
  };
}

test("one command serves the app with a demo workspace and three links, and the next start keeps the data", async () => {
  const dir = await newFolder();
  const app = await newFolder();
  await writeFile(path.join(app, "index.html"), "<!doctype html><title>app</title>");
  const first = await started(dir, app);
  assert.equal(first.links.length, 3, first.out);
  const [rep] = first.links;
  assert.ok(rep);
  assert.match(await (await fetch(`${rep.url}/enrol`)).text(), /<title>app/);
  const phone = await enrolPhone(rep.url, rep.code);
  const talk = await phone.connect();
  const events = phone.events(1);
  const placed = await talk.ask(phone.appendMessage(1, events));
  assert.ok(placed.type === "appended" && placed.answers[0]?.answer === "placed");
  talk.socket.close();
  assert.equal(await first.stop(), 0);

  const second = await started(dir, app);
  assert.equal(second.links.length, 3, second.out);
  assert.doesNotMatch(second.out, /Store masters/, "the demo is imported once");
  const again = await phone.connect(second.links[0]?.url);
  const repeated = await again.ask(phone.appendMessage(1, events));
  assert.ok(repeated.type === "appended" && repeated.answers[0]?.answer === "duplicate");
  again.socket.close();
  assert.equal(await second.stop(), 0);
  assert.equal((await sampai("log", "verify", "--dir", dir)).status, 0);
});
