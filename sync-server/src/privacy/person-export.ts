import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { finished } from "node:stream/promises";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openFollowersForReading } from "../followers/database.ts";

export interface PersonExport {
  readonly file: string;
  readonly rows: number;
  readonly photos: number;
}

/** Secrets, and what only the database's own indexes use. */
const LEFT_OUT = new Set(["token_hash", "code_hash"]);
const PAGE = 500;

/** Where a person's export goes. */
export const exportFile = (out: string, person: string): string =>
  path.join(out, `${person.replaceAll(/[^\w-]/g, "_")}.ndjson`);

/**
 * Writes everything that is held about a person: `CODE.ndjson`, a line of JSON for each row of each table that names the
 * person or one of the person's devices, and the photos beside it. A table that comes later is in it by itself, as long
 * as it says `person`, `rep` or `device`. Answers null where nobody has that code.
 */
export async function exportPerson(
  relay: DatabaseSync,
  dir: string,
  person: string,
  out: string,
): Promise<PersonExport | null> {
  if (relay.prepare("select 1 from person where code = ?").get(person) === undefined) return null;
  const devices = (relay.prepare("select device from device where person = ?").all(person) as { device: string }[]).map(
    ({ device }) => device,
  );
  await mkdir(path.join(out, "photos"), { recursive: true });
  const file = exportFile(out, person);
  const stream = createWriteStream(file, { flags: "wx" });
  let rows = 0;
  const write = async (line: object) => {
    rows += 1;
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, "drain");
  };
  const dump = async (db: DatabaseSync, from: string) => {
    for (const table of tablesAbout(db, person, devices)) {
      for (const row of table.rows()) await write({ from, table: table.name, ...row });
    }
  };
  await dump(relay, "relay");
  const certificates = relay.prepare(
    `select log.* from day_certificate join log on log.position = day_certificate.position
       where rep = ? limit ${PAGE} offset ?`,
  );
  for (const row of pages(certificates, [person])) await write({ from: "relay", table: "log", ...row });
  const followers = openFollowersForReading(dir);
  if (followers !== null) {
    try {
      await dump(followers, "followers");
    } finally {
      followers.close();
    }
  }
  stream.end();
  await finished(stream);
  return { file, rows, photos: await copyPhotos(relay, dir, person, path.join(out, "photos")) };
}

interface TableAbout {
  readonly name: string;
  rows(): Generator<object>;
}

/** Tables with a column that can name a person or a device; `person` itself names one by its code. */
function* tablesAbout(db: DatabaseSync, person: string, devices: readonly string[]): Generator<TableAbout> {
  const names = db.prepare("select name from sqlite_schema where type = 'table' order by name").all() as {
    name: string;
  }[];
  for (const { name } of names) {
    const columns = (db.prepare(`pragma table_info("${name}")`).all() as { name: string }[]).map(
      (column) => column.name,
    );
    const people = columns.filter((column) => ["person", "rep", "by"].includes(column));
    if (name === "person") people.push("code");
    const wanted = [
      ...people.map((column) => ({ column, values: [person] })),
      ...(columns.includes("device") && devices.length > 0 ? [{ column: "device", values: devices }] : []),
    ];
    if (wanted.length === 0) continue;
    const where = wanted
      .map(({ column, values }) => `"${column}" in (${values.map(() => "?").join(", ")})`)
      .join(" or ");
    const shown = columns.filter((column) => !LEFT_OUT.has(column)).map((column) => `"${column}"`);
    const statement = db.prepare(`select ${shown.join(", ")} from "${name}" where ${where} limit ${PAGE} offset ?`);
    const values = wanted.flatMap((one) => one.values);
    yield { name, rows: () => pages(statement, values) };
  }
}

function* pages(statement: StatementSync, values: readonly string[]): Generator<object> {
  for (let offset = 0; ; offset += PAGE) {
    const rows = statement.all(...values, offset) as Record<string, unknown>[];
    for (const row of rows) yield readable(row);
    if (rows.length < PAGE) return;
  }
}

/** Bytes and JSON texts as what they say, where they can be read. */
function readable(row: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      if (value instanceof Uint8Array)
        return [column, jsonOf(decoded(value)) ?? { base64: Buffer.from(value).toString("base64") }];
      if (typeof value === "string" && /^[[{]/.test(value)) return [column, jsonOf(value) ?? value];
      return [column, value];
    }),
  );
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return "";
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function copyPhotos(relay: DatabaseSync, dir: string, person: string, out: string): Promise<number> {
  const rows = relay.prepare("select blob from photo where person = ? and part = 'original'").all(person) as {
    blob: string;
  }[];
  let copied = 0;
  for (const { blob } of rows) {
    const from = path.join(dir, "blobs", "photos", blob);
    // An expired one has a row and no file.
    if (!existsSync(from)) continue;
    await copyFile(from, path.join(out, path.basename(blob)));
    copied += 1;
  }
  return copied;
}
