import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import { defaultHeadFile } from "../../src/database/head-file.ts";
import { openDataFolder } from "../../src/data-folder.ts";
import type { LogLeaf } from "../../src/order-log/log.ts";
import { termReport } from "../../src/order-log/lost.ts";
import { readerTerms } from "../../src/order-log/sqlite-terms.ts";
import { createOrderLogReader } from "../../src/order-log/sqlite-log.ts";
import { workspaceIn } from "../../src/commands/open-for-reading.ts";
import { verifyFolder } from "../../src/verification/verify-folder.ts";
import { seeded } from "../../../engine/test/seeded.ts";
import { inviteRep, serveRelay } from "../relay-process.ts";
import { enrolPhone } from "../wire-phone.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "sampai-damaged-wal-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const killed = path.join(scratch, "killed");
let whole: readonly LogLeaf[];

/** A relay that acknowledged 40 batches, each a commit, and was killed: all of it is in the write-ahead log. */
before(async () => {
  const relay = await serveRelay(killed);
  const phone = await enrolPhone(relay.url, await inviteRep(killed));
  const talk = await phone.connect();
  let last = null;
  for (let n = 1; n <= 40; n += 1) {
    const events = phone.events(n % 3 === 0 ? 5 : 1, { after: last });
    const answer = await talk.ask(phone.appendMessage(n, events));
    assert.equal(answer.type, "appended");
    last = events.at(-1) ?? null;
  }
  talk.socket.close();
  await relay.end("SIGKILL");
  const copy = copyOf("whole");
  const db = openForReading(copy);
  whole = await createOrderLogReader(db).read(0, 10_000);
  db.close();
  assert.ok(whole.length > 80);
});

function copyOf(name: string): string {
  const dir = path.join(scratch, name);
  cpSync(killed, dir, { recursive: true });
  cpSync(defaultHeadFile(killed), defaultHeadFile(dir));
  return dir;
}

const damages: Readonly<Record<string, (wal: Buffer, at: number) => Buffer>> = {
  "was cut short": (wal, at) => wal.subarray(0, at),
  "has one flipped bit": (wal, at) => {
    const flipped = Buffer.from(wal);
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
    return flipped;
  },
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a log whose write-ahead log ${what} at any place begins as it was, verifies, and says by the head file what is missing`, async () => {
    const random = seeded(81);
    for (let round = 0; round < 8; round += 1) {
      const dir = copyOf(`${what} ${round}`);
      const wal = path.join(dir, "relay.sqlite-wal");
      const bytes = readFileSync(wal);
      const at = round === 0 ? 0 : random.below(bytes.length);
      writeFileSync(wal, damage(bytes, at));
      const where = `${what} at byte ${at} of ${bytes.length}`;
      const folder = await openDataFolder({ dir, zone: "Asia/Kuala_Lumpur", databaseBytes: null }, assert.fail, true);
      const leaves = await folder.orderLog.read(0, 10_000);
      const kept = leaves.findIndex(({ position, hash }) => whole[position]?.hash !== hash);
      assert.ok(kept >= 0 && kept <= whole.length, where);
      const { lost } = termReport(readerTerms(folder.db));
      await folder.close();
      // The relay's own words follow: a new term where something is missing, and its start.
      const behind = leaves.slice(kept).map(({ type }) => type);
      assert.ok(["start", "term,start"].includes(behind.join()), where);
      if (kept < whole.length) {
        assert.equal(behind.length, 2, where);
        const missing = lost.flatMap((range) => range.missing.map(({ position }) => position));
        assert.deepEqual(
          missing,
          whole.slice(kept).map(({ position }) => position),
          where,
        );
      }
      const findings = await verifyFolder(dir, workspaceIn(dir), () => undefined);
      assert.deepEqual(
        findings.filter(({ sound }) => !sound),
        [],
        where,
      );
    }
  });
}
