import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import assert from "node:assert/strict";
import { after } from "node:test";
import { openDataFolder } from "../../src/data-folder.ts";
import type { AppendAnswer } from "../../src/order-log/log.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { orderLogContract, type LogBed } from "./order-log.contract.ts";

const folder = mkdtempSync(path.join(tmpdir(), "sampai-order-log-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ZONE = "Asia/Kuala_Lumpur";

/** Puts this id into the folder's workspace file, whatever it was. */
function nameWorkspace(dir: string, id: string): void {
  mkdirSync(dir, { recursive: true });
  openWorkspace(dir, ZONE);
  const file = path.join(dir, "workspace.json");
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), id }));
}

const bed: LogBed = {
  open: async (place, workspace) => {
    const dir = path.join(folder, place);
    nameWorkspace(dir, workspace);
    const config = { dir, zone: ZONE, databaseBytes: null };
    const opened = await openDataFolder(config, assert.fail, false);
    const { orderLog, writer } = opened;
    return {
      log: orderLog,
      enrol: async (device) => {
        const nobody = {
          person: "R1",
          role: "rep",
          platform: "test",
          certificate: "",
          certificateSignature: "",
        } as const;
        await writer.run("enrolAgain", { device, publicKey: device, tokenHash: null, ...nobody });
      },
      setRevoked: async (device, revoked) => {
        if (revoked) await writer.run("revoke", { device, by: "test", reason: "" });
        else await writer.run("unrevoke", { device, by: "test" });
      },
      close: () => opened.close(),
    };
  },
  crash: async (place, at, answered, atRisk) => {
    const child = fork(new URL("./crashing-writer.ts", import.meta.url), { serialization: "advanced" });
    const said = once(child, "message") as Promise<[AppendAnswer[]]>;
    const ended = once(child, "exit") as Promise<[number | null, string | null]>;
    child.send({ dir: path.join(folder, place), at, answered, atRisk });
    const [answers] = await said;
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    return answers;
  },
};

orderLogContract("the order log in SQLite", bed);
