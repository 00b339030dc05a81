import type { DatabaseSync } from "node:sqlite";
import { readerTerms } from "../order-log/sqlite-terms.ts";
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
  const terms = readerTerms(db);
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
        known: [...terms.knownSizes()],
        began: [...terms.beginnings()],
        revoked: (revoked.all() as { device: string }[]).map(({ device }) => device),
      } satisfies Head);
    },
    close: () => headFile.close(),
  };
}
