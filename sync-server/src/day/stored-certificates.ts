import { dayCertificateSchema, type DayCertificate } from "@sampai/engine/wire";
import type { Sql } from "../database/sql.ts";

/** A certificate as it stands in the order log. */
export interface StoredCertificate {
  readonly certificate: DayCertificate;
  /** The JSON exactly as signed. */
  readonly text: string;
  readonly signature: Uint8Array;
  readonly position: number;
}

interface Row {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

const columns = "log.position, log.bytes, log.signature";
const joined = "day_certificate join log on log.position = day_certificate.position";

/** The certificate that holds for a day: the newest of them. */
export function certificateOf(sql: Sql, rep: string, day: string): StoredCertificate | null {
  const row = sql(`select ${columns} from ${joined} where rep = ? and day = ? order by number desc limit 1`).get(
    rep,
    day,
  ) as Row | undefined;
  return row === undefined ? null : stored(row);
}

/** Every certificate of a day, oldest first: how it was restated, and why. */
export function certificatesOf(sql: Sql, rep: string, day: string): StoredCertificate[] {
  const rows = sql(`select ${columns} from ${joined} where rep = ? and day = ? order by number`).all(rep, day);
  return (rows as unknown as Row[]).map(stored);
}

/** The newest `count` days of a person that were certified, newest first. */
export function newestDays(sql: Sql, rep: string, count: number): string[] {
  const rows = sql("select distinct day from day_certificate where rep = ? order by day desc limit ?").all(rep, count);
  return (rows as { day: string }[]).map(({ day }) => day);
}

function stored({ position, bytes, signature }: Row): StoredCertificate {
  const text = new TextDecoder().decode(bytes);
  return { certificate: dayCertificateSchema.parse(JSON.parse(text)), text, signature, position };
}
