import { dayCertificateSchema } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";

interface Row {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly rep: string | null;
  readonly day: string;
  readonly number: number;
  readonly standing: string;
}

const PAGE = 500;

/** Every certificate in the log is listed under the day, number and standing that it says, and no other is. */
export function verifyCertificates(
  db: DatabaseSync,
): { readonly position: number; readonly what: string } | { readonly certificates: number } {
  const unlogged = db
    .prepare(
      `select position from day_certificate as listed
         where not exists (select 1 from log where log.position = listed.position and type = 'certificate') limit 1`,
    )
    .get() as { position: number } | undefined;
  if (unlogged !== undefined) return { position: unlogged.position, what: "is listed as a certificate and is none" };
  const page = db.prepare(
    `select log.position, bytes, rep, day, number, standing
       from log left join day_certificate as listed on listed.position = log.position
       where type = 'certificate' and log.position > ? order by log.position limit ${PAGE}`,
  );
  let certificates = 0;
  for (let last = -1; ;) {
    const rows = page.all(last) as unknown as Row[];
    for (const row of rows) {
      const { position, rep, day, number, standing, bytes } = row;
      if (rep === null) return { position, what: "is a certificate and is not listed as one" };
      const said = dayCertificateSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
      const isSame =
        said.success &&
        said.data.rep === rep &&
        said.data.day === day &&
        said.data.number === number &&
        said.data.standing === standing;
      if (!isSame) return { position, what: "is listed as another certificate than it is" };
      last = position;
      certificates += 1;
    }
    if (rows.length < PAGE) return { certificates };
  }
}
