import { documentId, viewOf, type DocumentKind } from "@sampai/engine";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import assert from "node:assert/strict";
import { documentsOf, type DocumentFolder } from "../../src/documents/host.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readConfig } from "../../src/config.ts";
import { openDataFolder, type DataFolder } from "../../src/data-folder.ts";
import { readCsvFolder, type ImportFiles } from "../../src/import/csv-folder.ts";
import type { ImportFolder } from "../../src/import/import.ts";

export const demoFolder = path.join(import.meta.dirname, "../../demo");
export const demoFiles = (): ImportFiles => readCsvFolder(demoFolder);
export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** A few rows of every file, small enough to read in a test. */
export function smallFiles(): Record<string, Uint8Array> {
  const texts = {
    "territories.csv": "code,name\nT1,North\nT2,South\n",
    "reps.csv": "code,name,role,territories\nR001,Ravi,rep,T1\nR002,Aishah,rep,T2\nS001,Zainab,supervisor,T1|T2\n",
    "goods.csv": "sku,name,unit,price_rm\n910,Cordial,2 liter,11.00\n1,Chicken,1kg,8.69\n",
    "schemes.csv": "scheme,sku,from_quantity,unit_price_rm,from,to\nBULK,910,12,10.50,2026-01-01,2026-12-31\n",
    "stores.csv":
      "code,name,territory,owner_rep,lat,lon,coord_uncertainty_m,coord_source\n" +
      "S-1,Kedai Satu,T1,R001,2.7252,101.9378,4000,town\nS-2,Kedai Dua,T2,R002,2.5,101.8,100,survey\n",
    "plans.csv": "rep,week,weekday,stop,store\nR001,+0,1,1,S-1\nR001,+0,2,1,S-2\n",
    "forms.csv":
      "form,version,title_en,title_ms,question,label_en,label_ms,type,options,required\n" +
      "shelf,1,Audit,Audit,facings,Facings,Muka,integer,,yes\nshelf,1,Audit,Audit,promo,Promo,Promosi,choice,a:A:A|b:B:B,no\n",
    "holidays.csv": "date,name\n2026-08-31,Hari Kebangsaan\n",
    "rules.csv": "rule,consequence\ncredit-limit,hold-order\n",
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, bytesOf(text)]));
}

export type TestFolder = ImportFolder & Pick<DataFolder, "workspace">;

/** A fresh data folder without a relay. */
export async function openFolder(): Promise<{ folder: TestFolder; close: () => Promise<void> }> {
  const dir = await mkdtemp(path.join(tmpdir(), "sampai-import-"));
  const onBroken = (reason: string) => {
    throw new Error(reason);
  };
  const opened = await openDataFolder(readConfig({ dir }, {}), onBroken, false);
  const log = {
    error: (detail: object, message: string) => assert.fail(`${message} ${JSON.stringify(detail)}`),
  };
  const folder = {
    ...opened,
    log,
    clock: { ...createSystemClock(), wallMs: () => Date.parse("2026-11-25T03:00:00Z") },
  };
  const close = async () => {
    await documentsOf(folder).stop();
    await opened.close();
    await rm(dir, { recursive: true });
  };
  return { folder, close };
}

export async function withFolder<T>(work: (folder: TestFolder) => Promise<T>): Promise<T> {
  const { folder, close } = await openFolder();
  try {
    return await work(folder);
  } finally {
    await close();
  }
}

/** A document as everybody reads it. */
export async function viewIn(
  folder: DocumentFolder,
  kind: DocumentKind,
  key: string,
): Promise<Record<string, unknown>> {
  const host = documentsOf(folder);
  const opened = await host.open.open({ doc: documentId(folder.workspace.id, kind, key), kind, key });
  assert.ok(opened.ok, `${kind} ${key} is here`);
  return viewOf(opened.value.replica, kind, host.rules()).value;
}

export const keysIn = (folder: DocumentFolder, kind: DocumentKind): string[] =>
  [...documentsOf(folder).registry.all()].filter((row) => row.kind === kind).map(({ key }) => key);
