import { createNodeCrypto } from "@sampai/engine/adapters/node-crypto";
import { readRescueFile, type RescueContent } from "@sampai/engine";
import { err, ok, type Result } from "@sampai/engine/core";
import type { Certificate, Refusal, Role } from "@sampai/engine/wire";
import { documentsOf, type DocumentFolder } from "../documents/host.ts";
import { judgePush, type Pusher } from "../documents/push.ts";
import { WaitingChanges } from "../documents/waiting-changes.ts";
import type { PlacedCandidate } from "../order-log/admit.ts";
import type { OrderLog } from "../order-log/log.ts";
import { refusalOf } from "../relay/append.ts";
import { verifyBatch } from "../relay/batch.ts";
import { isSignedBy } from "../signatures/ed25519.ts";
import type { Verify } from "../signatures/verifier.ts";
import type { Workspace } from "../workspace.ts";

/** What a rescue file needs of a relay, or of an opened data folder. */
export interface RescueOffice extends DocumentFolder {
  readonly workspace: Workspace;
  readonly orderLog: OrderLog;
}

/** What became of what was in the file. Importing it again moves nothing: everything is `duplicate` or `known`. */
export interface RescueReport {
  readonly device: string;
  readonly person: string;
  /** RFC 3339 UTC by the phone. */
  readonly madeAt: string;
  readonly events: Readonly<Record<"placed" | "duplicate" | "branch" | "held" | "quarantined", number>>;
  readonly changes: {
    readonly stored: number;
    readonly refused: readonly { readonly doc: string; readonly code: string }[];
  };
  /** Photos that the phone still owes. */
  readonly photos: readonly { readonly id: string; readonly sha256: string; readonly bytes: number }[];
}

// A rescue file is read once, by an operator: its few signatures need no thread.
const verifyHere: Verify = (signature, message, publicKey) =>
  Promise.resolve(isSignedBy(publicKey, message, signature));

/** A rescue file of this workspace whose every batch verifies. */
export interface JudgedRescue {
  readonly content: RescueContent;
  readonly certificate: Certificate;
  readonly batches: readonly (readonly PlacedCandidate[])[];
}

/** Judges the file whole, with the workspace's key alone: nothing moves, and no relay and no database is needed. */
export async function judgeRescue(workspace: Workspace, file: Uint8Array): Promise<Result<JudgedRescue, Refusal>> {
  const opened = await readRescueFile(file, workspace, createNodeCrypto());
  if (!opened.ok) return opened;
  const { content, certificate } = opened.value;
  const { device, publicKey } = certificate;
  const batches: (readonly PlacedCandidate[])[] = [];
  for (const batch of content.batches) {
    const verified = await verifyBatch(batch, { workspace: workspace.id, device, publicKey }, verifyHere);
    if (!verified.ok) return verified;
    batches.push(verified.value);
  }
  return ok({ content, certificate, batches });
}

/** Brings a phone's unsent queue in by the ways that everything takes: batches are admitted, documents pass the gate. */
export async function importRescue(office: RescueOffice, rescue: JudgedRescue): Promise<Result<RescueReport, Refusal>> {
  const { workspace, writer, orderLog } = office;
  const { content, certificate, batches } = rescue;
  const { device, publicKey } = certificate;
  // A device that was enrolled since the backup is known again by its certificate; a revoked one stays revoked.
  await writer.run("enrolAgain", {
    device,
    publicKey,
    tokenHash: null,
    platform: "rescue file",
    certificate: content.certificate,
    certificateSignature: content.certificateSignature,
    person: certificate.rep,
    role: certificate.role,
  });
  const events = { placed: 0, duplicate: 0, branch: 0, held: 0, quarantined: 0 };
  for (const batch of batches) {
    const answer = await orderLog.append({ workspace: workspace.id, device, events: batch, via: "rescue" });
    if ("refused" in answer) return err(refusalOf(answer.refused));
    for (const one of answer.answers) events[one.answer] += 1;
  }
  const changes = await importDocuments(office, certificate, content.documents);
  const report = {
    device,
    person: certificate.rep,
    madeAt: content.madeAt,
    events,
    changes,
    photos: content.photos,
  };
  const detail = { ...report, photos: content.photos.length };
  await writer.run("note", { rows: [{ topic: "rescue", device, item: null, detail }] });
  return ok(report);
}

async function importDocuments(
  office: RescueOffice,
  { device, rep, role }: Certificate,
  documents: readonly { doc: string; kind: string; key: string; bytes: Uint8Array }[],
): Promise<RescueReport["changes"]> {
  if (documents.length === 0) return { stored: 0, refused: [] };
  const host = documentsOf(office);
  const person = office.db.prepare("select role, territories from person where code = ?").get(rep) as
    | { role: Role; territories: string }
    | undefined;
  const pusher: Pusher = {
    connection: null,
    viewer: {
      device,
      person: rep,
      role: person?.role ?? role,
      territories: person === undefined ? [] : (JSON.parse(person.territories) as string[]),
    },
    waiting: new WaitingChanges(),
  };
  let stored = 0;
  const refused: { doc: string; code: string }[] = [];
  for (const [n, document] of documents.entries()) {
    const { done } = await judgePush({ n, ...document }, pusher, host);
    const outcome = await done;
    if ("refusal" in outcome) {
      refused.push({ doc: document.doc, code: outcome.refusal.code });
      continue;
    }
    stored += outcome.pushed.stored.length;
    for (const { code } of outcome.pushed.refused) refused.push({ doc: document.doc, code });
    if (outcome.pushed.missing.length > 0) refused.push({ doc: document.doc, code: "change.dependencies" });
  }
  return { stored, refused };
}
