import type { Role } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";

export const tables = `
create table if not exists person (
  code text primary key,
  name text not null,
  role text not null,
  territories text not null
) strict;
create table if not exists enrolment (
  code_hash text primary key,
  person text not null,
  expires text not null,
  used text
) strict;
create table if not exists device (
  device text primary key,
  person text not null,
  role text not null,
  public_key text not null,
  token_hash text not null unique,
  certificate text not null,
  certificate_signature text not null,
  platform text not null,
  enrolled text not null,
  revoked text
) strict;
create index if not exists device_revoked on device (device) where revoked is not null;
-- Revoked since a backup that does not know them.
create table if not exists revoked_before (
  device text primary key,
  at text not null
) strict;
create table if not exists contact (
  device text primary key,
  at text not null,
  claim text
) strict;
create table if not exists phone_attempt (
  device text not null,
  number integer not null,
  at text not null,
  lane text not null,
  run text,
  from_seq integer,
  to_seq integer,
  item text,
  bytes integer not null,
  outcome text not null,
  code text,
  took_ms real not null,
  primary key (device, number)
) strict, without rowid;
`;

export interface Person {
  readonly code: string;
  readonly name: string;
  readonly role: Role;
  /** Territory codes; `*` is the whole workspace. */
  readonly territories: readonly string[];
}

export interface EnrolInput {
  readonly codeHash: string;
  readonly device: string;
  readonly publicKey: string;
  readonly tokenHash: string;
  readonly platform: string;
  /** Gives the certificate for whom the code turned out to belong to. */
  readonly certificate: string;
  readonly certificateSignature: string;
  readonly person: string;
}

export interface EnrolAgainInput extends Omit<EnrolInput, "codeHash" | "tokenHash"> {
  readonly role: Role;
  /** Null where somebody else shows the certificate, with a rescue file. */
  readonly tokenHash: string | null;
}

/** Invitations that are open in a restored copy end: nobody knows whether they were used since it was made. */
export function closeInvitations(tx: Transaction): void {
  tx.sql("update enrolment set used = ? where used is null").run(tx.now);
}

/** Revokes what was revoked before the data folder was restored, also devices that the copy does not know. */
export function restoreRevocations(tx: Transaction, devices: readonly string[]): void {
  for (const device of devices) {
    const known = tx.sql("select revoked from device where device = ?").get(device) as
      | { revoked: string | null }
      | undefined;
    const before = tx.sql("select 1 from revoked_before where device = ?").get(device);
    if (before !== undefined || (known !== undefined && known.revoked !== null)) continue;
    if (known === undefined) tx.sql("insert into revoked_before (device, at) values (?, ?)").run(device, tx.now);
    else tx.sql("update device set revoked = ? where device = ?").run(tx.now, device);
    tx.note({ topic: "device.revoked", device, item: null, detail: { by: "head file", reason: "revoked before" } });
  }
}

export const operations = {
  /** Puts people in place as the import has them; nobody is removed, so that old events keep their names. */
  putPeople: (tx: Transaction, input: { people: readonly Person[] }) => {
    const put = tx.sql(
      `insert into person (code, name, role, territories) values (?, ?, ?, ?)
       on conflict (code) do update set name = excluded.name, role = excluded.role, territories = excluded.territories`,
    );
    for (const person of input.people)
      put.run(person.code, person.name, person.role, JSON.stringify(person.territories));
  },

  /** Stores a one-time enrolment code's hash. */
  putEnrolment: (tx: Transaction, input: { codeHash: string; person: string; expires: string }) => {
    tx.sql("insert or replace into enrolment (code_hash, person, expires, used) values (?, ?, ?, null)").run(
      input.codeHash,
      input.person,
      input.expires,
    );
  },

  /** Adds one person where nobody has that code yet. */
  addPerson: (tx: Transaction, input: { person: Person }) => {
    const { code, name, role, territories } = input.person;
    tx.sql("insert or ignore into person (code, name, role, territories) values (?, ?, ?, ?)").run(
      code,
      name,
      role,
      JSON.stringify(territories),
    );
  },

  /** Uses up the code and adds the device. `code`: it cannot be used any more; `key`: a device has this key already. */
  enrol: (tx: Transaction, input: EnrolInput & { role: Role }): "enrolled" | "code" | "key" => {
    if (tx.sql("select 1 from device where device = ?").get(input.device) !== undefined) return "key";
    const used = tx
      .sql("update enrolment set used = ? where code_hash = ? and person = ? and used is null and expires > ?")
      .run(tx.now, input.codeHash, input.person, tx.now);
    if (used.changes !== 1) return "code";
    tx.sql(
      `insert into device (device, person, role, public_key, token_hash, certificate, certificate_signature, platform, enrolled)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      input.device,
      input.person,
      input.role,
      input.publicKey,
      input.tokenHash,
      input.certificate,
      input.certificateSignature,
      input.platform,
      tx.now,
    );
    tx.note({
      topic: "device.enrolled",
      device: input.device,
      item: null,
      detail: { person: input.person, role: input.role, platform: input.platform },
    });
    return "enrolled";
  },

  /**
   * Takes back a device that was enrolled and is not known any more, or binds its token anew. The certificate and the
   * device's own signature were verified. A revocation stands.
   */
  enrolAgain: (tx: Transaction, input: EnrolAgainInput): "enrolled" | "revoked" => {
    const known = tx.sql("select revoked from device where device = ?").get(input.device) as
      | { revoked: string | null }
      | undefined;
    const isRevoked =
      (known !== undefined && known.revoked !== null) ||
      tx.sql("select 1 from revoked_before where device = ?").get(input.device) !== undefined;
    if (isRevoked) return "revoked";
    if (known !== undefined) {
      if (input.tokenHash !== null) {
        tx.sql("update device set token_hash = ? where device = ?").run(input.tokenHash, input.device);
      }
      return "enrolled";
    }
    tx.sql(
      `insert into device (device, person, role, public_key, token_hash, certificate, certificate_signature, platform, enrolled)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      input.device,
      input.person,
      input.role,
      input.publicKey,
      // No token has this hash: until the device binds one, it can send nothing by itself.
      input.tokenHash ?? `none:${input.device}`,
      input.certificate,
      input.certificateSignature,
      input.platform,
      tx.now,
    );
    const { person, role, platform } = input;
    tx.note({
      topic: "device.enrolled",
      device: input.device,
      item: null,
      detail: { person, role, platform, by: "its certificate" },
    });
    return "enrolled";
  },

  /** Revokes a device; its token stops working at once. Answers false where there is no such device. */
  revoke: (tx: Transaction, input: { device: string; by: string; reason: string }): boolean => {
    const done = tx.sql("update device set revoked = ? where device = ? and revoked is null").run(tx.now, input.device);
    if (done.changes !== 1) return false;
    tx.note({
      topic: "device.revoked",
      device: input.device,
      item: null,
      detail: { by: input.by, reason: input.reason },
    });
    return true;
  },
};
