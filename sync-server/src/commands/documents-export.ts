import * as A from "@automerge/automerge/slim";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import path from "node:path";
import { makeNodefsFolder, writeNodefsDocument } from "../documents/nodefs-folder.ts";
import { OpenDocuments } from "../documents/open-documents.ts";
import { createStoredDocuments } from "../documents/stored-documents.ts";
import { BadUsage, cannotWrite, required, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { print } from "./print.ts";

/** Loaded one after the other: none is kept. */
const OPEN_BYTES = 1_048_576;

export const documentsExport: Command = {
  name: "documents export",
  positionals: "",
  does: "Writes every document into a folder that automerge-repo's storage-nodefs reads. Buried ones stay out.",
  options: { nodefs: { type: "string" }, dir: { type: "string" } },
  explains: {
    nodefs: "the folder to write: new or empty",
    dir: "the relay's data folder, whether a relay works in it or not",
  },
  run: async (input) => {
    const { db } = openFolderForReading(input);
    const folder = path.resolve(required(input, "nodefs"));
    const isMade = await makeNodefsFolder(folder).catch((error: unknown) => {
      throw cannotWrite("nodefs", folder, error);
    });
    if (!isMade) throw new BadUsage(`${folder} is not empty.`);
    await startAutomerge();
    const stored = createStoredDocuments(db);
    const open = new OpenDocuments(stored, OPEN_BYTES, () => undefined);
    const damaged: string[] = [];
    let documents = 0;
    for (const row of stored.all()) {
      if (row.tombstone !== null) continue;
      const opened = await open.open(row);
      if (!opened.ok) {
        damaged.push(`${row.kind} ${row.key}`);
        continue;
      }
      await writeNodefsDocument(folder, row.doc, opened.value.heads, A.save(opened.value.replica));
      documents += 1;
    }
    db.close();
    print(JSON.stringify({ documents, damaged }));
    return damaged.length === 0 ? 0 : 1;
  },
};
