import { err, msFromUtc, ok, sha256Hex, utcFromMs, utf8ToBytes, type Result } from "@sampai/engine/core";
import { certificateMessage, type Certificate, type EnrolAnswer, type Refusal, type Role } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import type { Clock } from "@sampai/engine/core";
import type { DatabaseSync } from "node:sqlite";
import type { Writer } from "../database/writer.ts";
import { isPublicKey } from "../signatures/ed25519.ts";
import type { Workspace } from "../workspace.ts";
import { newSecret, secretHash } from "./tokens.ts";

/** What enrolment needs of a relay, or of an opened data folder. */
export interface EnrolmentOffice {
  readonly workspace: Workspace;
  readonly writer: Writer;
  readonly db: DatabaseSync;
  readonly clock: Clock;
}

/** An invitation for one device of one person. The code is shown once; only its hash is kept. */
export interface Invitation {
  readonly person: string;
  readonly code: string;
  /** RFC 3339 UTC. */
  readonly expires: string;
}

export const INVITATION_MINUTES = 24 * 60;

/** Makes a one-time enrolment code for a person who is known here. */
export async function invite(
  office: EnrolmentOffice,
  person: string,
  ttlMinutes: number,
): Promise<Result<Invitation, Refusal>> {
  const known = office.db.prepare("select 1 from person where code = ?").get(person);
  if (known === undefined) return err({ code: "person.unknown", detail: person.slice(0, 60) });
  const code = newSecret();
  const expires = utcFromMs(office.clock.wallMs() + ttlMinutes * 60_000);
  await office.writer.run("putEnrolment", { codeHash: secretHash(code), person, expires });
  return ok({ person, code, expires });
}

/** Turns a code and a device's own public key into a certificate and a token. A code works once. */
export async function enrol(
  office: EnrolmentOffice,
  request: { code: string; publicKey: string; platform: string },
): Promise<Result<EnrolAnswer, Refusal>> {
  if (!isPublicKey(request.publicKey)) return err({ code: "enrol.key" });
  const codeHash = secretHash(request.code);
  const invited = office.db
    .prepare(
      `select person.code as person, person.name, person.role, enrolment.used, enrolment.expires
         from enrolment join person on person.code = enrolment.person where code_hash = ?`,
    )
    .get(codeHash) as { person: string; name: string; role: Role; used: string | null; expires: string } | undefined;
  const nowMs = office.clock.wallMs();
  if (invited === undefined || invited.used !== null || msFromUtc(invited.expires) <= nowMs) {
    return err({ code: "enrol.code" });
  }
  const { workspace } = office;
  const { person, name, role } = invited;
  const device = deviceOf(request.publicKey);
  const token = newSecret();
  const certificate = JSON.stringify({
    v: 1,
    workspace: workspace.id,
    device,
    publicKey: request.publicKey,
    rep: person,
    role,
    issuedAt: utcFromMs(nowMs),
  } satisfies Certificate);
  const signed = workspace.sign(certificateMessage(sha256Hex(utf8ToBytes(certificate))));
  const certificateSignature = Buffer.from(signed).toString("hex");
  const enrolled = await office.writer.run("enrol", {
    codeHash,
    device,
    publicKey: request.publicKey,
    tokenHash: secretHash(token),
    platform: request.platform,
    certificate,
    certificateSignature,
    person,
    role,
  });
  if (enrolled === "code") return err({ code: "enrol.code" });
  if (enrolled === "key") return err({ code: "enrol.key", detail: "another enrolment used this key" });
  return ok({ token, certificate, certificateSignature, rootKey: workspace.rootKey, name, zone: workspace.zone });
}

/** A device's id is the first 8 bytes of the hash of its key, in hexadecimal, so that its documents' actors can start with it. */
export function deviceOf(publicKey: string): string {
  return createHash("sha256").update(Buffer.from(publicKey, "hex")).digest("hex").slice(0, 16);
}
