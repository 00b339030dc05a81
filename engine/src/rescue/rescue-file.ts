import { z } from "zod";
import type { Crypto } from "../core/crypto.ts";
import { hexToBytes, sha256Hex, utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { decodeCborAs, encodeFrame } from "../wire/codec.ts";
import { limits } from "../wire/limits.ts";
import { appendItemSchema, certificateSchema, runSchema, type Certificate } from "../wire/messages.ts";
import type { Refusal } from "../wire/refusals.ts";
import { certificateMessage, rescueMessage } from "../wire/signing.ts";
import { NONCE_BYTES, openSealed, sealFor, SECRET_BYTES } from "./seal.ts";

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "is not bytes");
const exactly = (length: number) => bytes.refine((value) => value.length === length, `is not ${length} bytes`);

const contentSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  device: z.string(),
  /** RFC 3339 UTC by the phone. */
  madeAt: z.string(),
  /** Says whose device it is, also to a relay that does not know it any more. */
  certificate: z.string(),
  certificateSignature: z.string(),
  /** Unsent events, parents first, signed as an append is. */
  batches: z.array(
    z.strictObject({
      run: runSchema,
      events: z.array(appendItemSchema).min(1).max(limits.batchEvents),
      signature: bytes,
    }),
  ),
  /** Unsent changes of documents, as a push carries them. */
  documents: z.array(z.strictObject({ doc: z.string(), kind: z.string(), key: z.string(), bytes })),
  /** Photos that HQ does not hold. They are listed; their bytes stay on the phone. */
  photos: z.array(z.strictObject({ id: z.string(), sha256: z.string(), bytes: z.int().min(0) })),
});
/** One phone's unsent queue. */
export type RescueContent = z.infer<typeof contentSchema>;

const fileSchema = z.strictObject({
  sampai: z.literal("rescue"),
  v: z.literal(1),
  workspace: z.string().max(60),
  device: z.string().max(60),
  ephemeral: exactly(32),
  nonce: exactly(NONCE_BYTES),
  sealed: bytes,
});
const signedSchema = z.strictObject({ content: bytes, signature: bytes });

/** Signs the queue with the device's key and seals it for the workspace. `random` gives fresh random bytes. */
export async function writeRescueFile(
  content: RescueContent,
  keys: { readonly secretKey: Uint8Array; readonly rootKey: string; readonly crypto: Crypto },
  random: (length: number) => Uint8Array,
): Promise<Uint8Array> {
  const { workspace, device } = content;
  const inner = encodeFrame(content);
  const signature = await keys.crypto.sign(
    rescueMessage({ workspace, device, hash: sha256Hex(inner) }),
    keys.secretKey,
  );
  const fresh = { secret: random(SECRET_BYTES), nonce: random(NONCE_BYTES) };
  const signed = encodeFrame({ content: inner, signature });
  const sealed = sealFor(hexToBytes(keys.rootKey), signed, aboutOf(workspace, device), fresh);
  return encodeFrame({ sampai: "rescue", v: 1, workspace, device, ...sealed });
}

/**
 * Opens a rescue file with the workspace's root key and believes it only whole: made for this workspace, sealed, and
 * signed by the device that its certificate names.
 */
export async function readRescueFile(
  file: Uint8Array,
  workspace: { readonly id: string; readonly rootKey: string; readonly rootSeed: Uint8Array },
  crypto: Pick<Crypto, "verify">,
): Promise<Result<{ readonly content: RescueContent; readonly certificate: Certificate }, Refusal>> {
  if (file.length > limits.rescueBytes) return err({ code: "rescue.malformed", detail: "too large" });
  const outer = decodeCborAs(fileSchema, file);
  if (!outer.ok) return err({ code: "rescue.malformed", detail: "cut short, or another file" });
  const { device } = outer.value;
  if (outer.value.workspace !== workspace.id) {
    return err({ code: "rescue.workspace", detail: outer.value.workspace });
  }
  const opened = openSealed(workspace.rootSeed, outer.value, aboutOf(workspace.id, device));
  if (opened === null) return err({ code: "rescue.sealed" });
  const signed = decodeCborAs(signedSchema, opened);
  const content = signed.ok ? decodeCborAs(contentSchema, signed.value.content) : signed;
  if (!signed.ok || !content.ok) return err({ code: "rescue.malformed", detail: "its content is of another version" });
  const { certificate, certificateSignature } = content.value;
  const rootSigned = await verifies(
    crypto,
    certificateSignature,
    certificateMessage(sha256Hex(utf8ToBytes(certificate))),
    workspace.rootKey,
  );
  const said = rootSigned ? certificateSchema.safeParse(JSON.parse(certificate)) : null;
  if (said === null || !said.success || said.data.workspace !== workspace.id) {
    return err({ code: "rescue.signature", detail: "certificate" });
  }
  const isOne =
    said.data.device === device && content.value.device === device && content.value.workspace === workspace.id;
  const hash = sha256Hex(signed.value.content);
  const message = rescueMessage({ workspace: workspace.id, device, hash });
  if (!isOne || !(await crypto.verify(signed.value.signature, message, hexToBytes(said.data.publicKey)))) {
    return err({ code: "rescue.signature", detail: "device" });
  }
  return ok({ content: content.value, certificate: said.data });
}

const aboutOf = (workspace: string, device: string): Uint8Array =>
  utf8ToBytes(["sampai.rescue.v1", workspace, device].join("\n"));

async function verifies(crypto: Pick<Crypto, "verify">, signature: string, message: Uint8Array, key: string) {
  return /^([0-9a-f]{2})+$/.test(signature) && (await crypto.verify(hexToBytes(signature), message, hexToBytes(key)));
}
