import * as A from "@automerge/automerge/slim";
import { Repo, type DocumentId } from "@automerge/automerge-repo/slim";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";
import { documentId } from "@sampai/engine";
import assert from "node:assert/strict";
import { appendFile, cp, mkdir, mkdtemp, readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { sampai } from "../relay-process.ts";
import { openDesk } from "./desk.ts";

let older: string;
let dir: string;
let folder: string;
let workspace: string;

const below = (root: string, doc: string) => path.join(root, doc.slice(0, 2), doc.slice(2));
const idOf = (key: string) => documentId(workspace, "store", key);

before(async () => {
  const desk = await openDesk();
  dir = desk.dir;
  workspace = desk.folder.workspace.id;
  await putDocuments(
    desk.context,
    ["S0", "S1", "S2"].map((key) => ({ kind: "store", key, values: { name: `Kedai ${key}`, territory: "T1" } })),
  );
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const edit = (key: string, town: string) =>
    rep.pushed("store", key, rep.edit("store", key, [{ field: "town", set: town }]));
  await edit("S0", "Nilai");
  await desk.close();
  const root = await mkdtemp(path.join(tmpdir(), "sampai-nodefs-"));
  older = path.join(root, "older");
  await cp(dir, older, { recursive: true });
  const again = await openDesk(dir);
  const back = rep.moved(again);
  await back.online();
  for (const town of ["Senawang", "Seremban"]) {
    await back.pushed("store", "S0", back.edit("store", "S0", [{ field: "town", set: town }]));
  }
  await again.close();
  folder = path.join(root, "stock");
  const { status, out, err } = await sampai("documents", "export", "--nodefs", folder, "--dir", dir);
  assert.equal(status, 0, err);
  assert.deepEqual(JSON.parse(out), { documents: 3, damaged: [] });
});

test("a stock Repo opens every exported document, with its whole history", async () => {
  const repo = new Repo({ network: [], storage: new NodeFSStorageAdapter(folder) });
  for (const key of ["S0", "S1", "S2"]) {
    const handle = await repo.find<Record<string, unknown>>(idOf(key) as DocumentId);
    assert.deepEqual([String(handle.doc()["kind"]), String(handle.doc()["key"])], ["store", key]);
  }
  const store = await repo.find<Record<string, unknown>>(idOf("S0") as DocumentId);
  assert.equal(String(store.doc()["town"]), "Seremban");
  assert.equal(A.getAllChanges(store.doc()).length, 6);
  await repo.shutdown();
});

test("a folder that is not empty is left alone", async () => {
  const { status, err } = await sampai("documents", "export", "--nodefs", folder, "--dir", dir);
  assert.equal(status, 2);
  assert.match(err, /not empty/);
});

test("what an older copy of the relay lacks comes back through the gate, and a second import changes nothing", async () => {
  const first = await sampai("documents", "import", "--nodefs", folder, "--dir", older);
  assert.equal(first.status, 0, first.err);
  assert.deepEqual(JSON.parse(first.out), { documents: 3, stored: 2, refused: 0, damaged: 0 });
  const second = await sampai("documents", "import", "--nodefs", folder, "--dir", older);
  assert.deepEqual(JSON.parse(second.out), { documents: 3, stored: 0, refused: 0, damaged: 0 });
  const { out } = await sampai("store", "explain", "S0", "town", "--dir", older);
  assert.match(out, /Seremban/);
});

test("torn files, links, strange names, other workspaces and nameless changes are told, and the others are taken", async () => {
  const hostile = path.join(await mkdtemp(path.join(tmpdir(), "sampai-nodefs-")), "stock");
  await cp(folder, hostile, { recursive: true });
  const whole = path.join(below(hostile, idOf("S1")), "snapshot");
  const [snapshot] = await readdir(whole);
  assert.ok(snapshot !== undefined);
  await appendFile(path.join(whole, snapshot), Uint8Array.of(0x85, 0x6f, 0x4a));
  await symlink("/etc/hostname", path.join(whole, "0".repeat(64)));
  await writeFile(path.join(whole, "..notes"), "hello");
  await symlink(below(folder, idOf("S2")), path.join(hostile, idOf("S2").slice(0, 2), "1".repeat(26)));
  const [stranger, nameless] = [documentId("elsewhere", "store", "S9"), idOf("S2")];
  await mkdir(path.join(below(hostile, stranger), "snapshot"), { recursive: true });
  const foreign = A.change(A.init<Record<string, unknown>>(), (doc) => {
    doc["kind"] = "store";
    doc["key"] = "S9";
  });
  await writeFile(path.join(below(hostile, stranger), "snapshot", "a".repeat(64)), A.save(foreign));
  const repo = new Repo({ network: [], storage: new NodeFSStorageAdapter(hostile) });
  const handle = await repo.find<Record<string, unknown>>(nameless as DocumentId);
  handle.change((doc) => {
    doc["town"] = new A.ImmutableString("Melaka");
  });
  await repo.flush();
  await repo.shutdown();

  const { status, out, err } = await sampai("documents", "import", "--nodefs", hostile, "--dir", older);
  assert.equal(status, 1);
  const counts = JSON.parse(out) as { refused: number; damaged: number; stored: number };
  assert.deepEqual([counts.refused, counts.damaged, counts.stored], [2, 3, 0], err);
  assert.match(err, /torn header at byte \d+/);
  assert.match(err, /0{64}: no file that automerge-repo writes/);
  assert.match(err, /doc\.id/);
  assert.match(err, /change\.author it names nobody/);
});
