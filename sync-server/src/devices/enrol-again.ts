import { err, ok, sha256Hex, utf8ToBytes, type Result } from "@sampai/engine/core";
import {
  certificateMessage,
  certificateSchema,
  enrolAgainMessage,
  type Certificate,
  type Refusal,
} from "@sampai/engine/wire";
import type { z } from "zod";
import type { enrolAgainSchema } from "@sampai/engine/wire";
import { isSignedBy } from "../signatures/ed25519.ts";
import type { EnrolmentOffice } from "./enrolment.ts";

/** Reads a certificate that this workspace's root key signed. */
export function readCertificate(
  workspace: { readonly id: string; readonly rootKey: string },
  certificate: string,
  signature: string,
): Result<Certificate, Refusal> {
  const message = certificateMessage(sha256Hex(utf8ToBytes(certificate)));
  if (!isSignedBy(workspace.rootKey, message, Buffer.from(signature, "hex"))) {
    return err({ code: "enrol.certificate", detail: "the root key did not sign it" });
  }
  const read = certificateSchema.safeParse(JSON.parse(certificate));
  if (!read.success || read.data.workspace !== workspace.id) {
    return err({ code: "enrol.certificate", detail: "it is of another workspace or version" });
  }
  return ok(read.data);
}

/** Takes back a device that an older copy of the data folder does not know, by its certificate and its own signature. */
export async function enrolAgain(
  office: Pick<EnrolmentOffice, "workspace" | "writer">,
  request: z.infer<typeof enrolAgainSchema>,
): Promise<Result<{ readonly device: string }, Refusal>> {
  const { certificate, certificateSignature, tokenHash, platform } = request;
  const read = readCertificate(office.workspace, certificate, certificateSignature);
  if (!read.ok) return read;
  const { workspace, device, publicKey, rep, role } = read.value;
  const message = enrolAgainMessage({ workspace, device, tokenHash });
  if (!isSignedBy(publicKey, message, Buffer.from(request.signature, "hex"))) {
    return err({ code: "enrol.certificate", detail: "the device's key did not sign" });
  }
  const enrolled = await office.writer.run("enrolAgain", {
    device,
    publicKey,
    tokenHash,
    platform,
    certificate,
    certificateSignature,
    person: rep,
    role,
  });
  return enrolled === "revoked" ? err({ code: "auth.revoked" }) : ok({ device });
}
