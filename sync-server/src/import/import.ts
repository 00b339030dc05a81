import { dayIn, documentId, err, ok, packSchema, policies, type Result } from "@sampai/engine";
import { detectors } from "../anomalies/index.ts";
import { documentsOf, type DocumentFolder } from "../documents/host.ts";
import { putDocuments, type PutCounts } from "../documents/put-documents.ts";
import { forgottenPeople } from "../devices/forgotten.ts";
import { issuePack, type Issued } from "../reference/issue.ts";
import { packsOf } from "../reference/stored-packs.ts";
import type { Workspace } from "../workspace.ts";
import type { ImportFiles } from "./csv-folder.ts";
import { planDocuments, storeDocuments } from "./imported-documents.ts";
import type { Known } from "./known.ts";
import { packContent } from "./pack-content.ts";
import type { ImportProblem } from "./problem.ts";
import { readFiles } from "./read-files.ts";
import { resolveWeek, weekOf } from "./week.ts";

/** What an import needs of a data folder: a relay's context has it, and so has a command's folder. */
export interface ImportFolder extends DocumentFolder {
  readonly workspace: Pick<Workspace, "id" | "zone" | "sign">;
}

export interface ImportSummary {
  readonly pack: Issued;
  /** Rows read, by file. */
  readonly rows: Readonly<Record<string, number>>;
  readonly stores: PutCounts;
  readonly plans: PutCounts;
  readonly week: string;
  readonly warnings: readonly ImportProblem[];
}

/**
 * Imports an operator's CSV files: people and pack in one commit, then store masters and plans. Everything is checked
 * before the first write; a crash in between leaves whole pieces, and the same import again completes them.
 */
export async function runImport(
  folder: ImportFolder,
  files: ImportFiles,
  options: { readonly week?: string } = {},
): Promise<Result<ImportSummary, readonly ImportProblem[]>> {
  const { db, workspace, writer } = folder;
  const nowMs = folder.clock.wallMs();
  const { registry, stored } = documentsOf(folder);
  const packs = packsOf(db);
  const thisWeek = weekOf(dayIn(nowMs, workspace.zone));
  const week = resolveWeek(options.week ?? thisWeek, thisWeek);
  if (week === undefined) return err([wholeImport(`there is no week ${options.week ?? ""}`)]);
  const masters = [...registry.all()].filter(({ kind, tombstone }) => kind === "store" && tombstone === null);
  const known: Known = {
    pack: packs.newest(),
    forgotten: forgottenPeople(db),
    stores: new Set(masters.map(({ key }) => key)),
    rules: ruleNames,
  };
  const checked = readFiles(files, known, week);
  if (!checked.ok) return checked;
  const { rows, warnings } = checked.value;
  const counts = Object.fromEntries(Object.entries(rows).map(([name, read]) => [name, read.length]));

  // Bounds that no single file shows, such as a person's 200 territories, stand in the pack's own schema.
  const draft = packSchema.safeParse({
    ...packContent(rows, known.pack, workspace),
    number: 1,
    issuedAt: new Date(nowMs).toISOString(),
  });
  if (!draft.success) {
    return err(draft.error.issues.map(({ path, message }) => wholeImport(`${path.join(".")}: ${message}`)));
  }
  const stores = storeDocuments(rows);
  const plans = planDocuments(rows, known, week, (key) => stored.imported(documentId(workspace.id, "plan", key)));

  const now = new Date(nowMs).toISOString();
  const pack = await issuePack(
    { db, packs, writer, workspace, now },
    (inForce) => packContent(rows, inForce, workspace),
    { rows: counts },
  );
  return ok({
    pack,
    rows: counts,
    stores: await putDocuments(folder, stores),
    plans: await putDocuments(folder, plans),
    week,
    warnings,
  });
}

const ruleNames: ReadonlySet<string> = new Set([...policies, ...detectors].map(({ name }) => name));

function wholeImport(reason: string): ImportProblem {
  return { file: "import", line: null, column: null, reason };
}
