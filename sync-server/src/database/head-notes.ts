import type { DatabaseSync } from "node:sqlite";
import type { Heads } from "./committer.ts";
import { openHeadFile, type Head } from "./head-file.ts";

/** Notes after each commit how far the database has come, in a file outside the data folder. */
export interface HeadNotes {
  /** On disk when it returns: a restored folder is known by it. */
  note(heads: Heads): void;
  close(): void;
}

export function createHeadNotes(db: DatabaseSync, { file, workspace }: { file: string; workspace: string }): HeadNotes {
  const headFile = openHeadFile(file);
  const known = db.prepare("select term, size from known_size order by term");
  const began = db.prepare("select term, position from term_began order by term");
  const revoked = db.prepare(
    "select device from device where revoked is not null union select device from revoked_before order by device",
  );
  return {
    note: ({ log, trail, documents, term, start }) => {
      // Before the log was opened there is nothing to tell.
      if (term === "") return;
      headFile.write({
        v: 1,
        workspace,
        term,
        start,
        log,
        trail,
        documents,
        known: (known.all() as { term: string; size: number }[]).map(({ term, size }) => [term, size]),
        began: (began.all() as { term: string; position: number }[]).map(({ term, position }) => [term, position]),
        revoked: (revoked.all() as { device: string }[]).map(({ device }) => device),
      } satisfies Head);
    },
    close: () => headFile.close(),
  };
}
