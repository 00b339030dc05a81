import { dayIn, err, ok, packSchema, policies, type Result } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import { detectors } from "../anomalies/index.ts";
import type { Writer } from "../database/writer.ts";
import { issuePack, type Issued } from "../reference/issue.ts";
import { packsOf } from "../reference/stored-packs.ts";
import type { ImportFiles } from "./csv-folder.ts";
import { planDocuments, storeDocuments, type ImportedDocument } from "./imported-documents.ts";
import type { Known } from "./known.ts";
import { packContent } from "./pack-content.ts";
import type { ImportProblem } from "./problem.ts";
import { readFiles } from "./read-files.ts";
import { resolveWeek, weekOf } from "./week.ts";

export interface DocumentCounts {
  /** Documents that nobody had made before. */
  readonly created: number;
  /** Documents in which a value was written. */
  readonly changed: number;
  readonly unchanged: number;
}

/** PORT. The relay's documents, as an import writes them. */
export interface ImportedDocuments {
  /**
   * MUST write only values that differ from what the last import wrote, so that an unchanged file never undoes what a
   * person corrected since, and MUST be safe to repeat after a crash.
   */
  put(documents: readonly ImportedDocument[]): Promise<DocumentCounts>;
  /** Codes of the stores that have a store master. */
  storeCodes(): Iterable<string>;
}

export interface ImportDeps {
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly workspace: {
    readonly id: string;
    readonly zone: string;
    readonly sign: (message: Uint8Array) => Uint8Array;
  };
  /** Null where this relay keeps no documents: then people and pack are imported alone. */
  readonly documents: ImportedDocuments | null;
  /** Relay wall time in milliseconds since 1970. */
  readonly nowMs: number;
}

export interface ImportSummary {
  readonly pack: Issued;
  /** Rows read, by file. */
  readonly rows: Readonly<Record<string, number>>;
  /** Null where this relay keeps no documents. */
  readonly stores: DocumentCounts | null;
  readonly plans: DocumentCounts | null;
  readonly week: string;
  readonly warnings: readonly ImportProblem[];
}

/**
 * Imports an operator's CSV files: people and pack in one commit, then store masters and plans. Everything is checked
 * before the first write; a crash in between leaves whole pieces, and the same import again completes them.
 */
export async function runImport(
  deps: ImportDeps,
  files: ImportFiles,
  options: { readonly week?: string } = {},
): Promise<Result<ImportSummary, readonly ImportProblem[]>> {
  const { db, workspace, nowMs } = deps;
  const packs = packsOf(db);
  const thisWeek = weekOf(dayIn(nowMs, workspace.zone));
  const week = resolveWeek(options.week ?? thisWeek, thisWeek);
  if (week === undefined) return err([wholeImport(`there is no week ${options.week ?? ""}`)]);
  const known: Known = { pack: packs.newest(), stores: new Set(deps.documents?.storeCodes()), rules: ruleNames };
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
  const plans = planDocuments(rows, known, week);

  const now = new Date(nowMs).toISOString();
  const pack = await issuePack(
    { db, packs, writer: deps.writer, workspace, now },
    (inForce) => packContent(rows, inForce, workspace),
    { rows: counts },
  );
  return ok({
    pack,
    rows: counts,
    stores: (await deps.documents?.put(stores)) ?? null,
    plans: (await deps.documents?.put(plans)) ?? null,
    week,
    warnings,
  });
}

const ruleNames: ReadonlySet<string> = new Set([...policies, ...detectors].map(({ name }) => name));

function wholeImport(reason: string): ImportProblem {
  return { file: "import", line: null, column: null, reason };
}
