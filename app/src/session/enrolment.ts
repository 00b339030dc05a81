import {
  certificateMessage,
  certificateSchema,
  enrolAnswerSchema,
  type Certificate,
  type EnrolAnswer,
} from "@sampai/engine/wire";
import { bytesToHex, err, hexToBytes, ok, sha256Hex, utf8ToBytes, type Identity, type Result } from "@sampai/engine";
import { createFetchHttp } from "@sampai/engine/adapters/fetch-http";
import { platformName } from "../device/platform.ts";
import type { EnrolmentLink } from "./enrolment-link.ts";
import { systemCrypto } from "./system.ts";

/**
 * `code`: used up, expired or never given. `offline`: no answer. `forged`: the certificate is not for this key or not
 * signed by the key that came with it. `relay`: an answer that this app does not understand.
 */
export type EnrolError =
  | { readonly error: "code" | "offline" | "forged" }
  | { readonly error: "relay"; readonly code: string };

const TIMEOUT_MS = 20_000;

/** Makes a key pair, trades the one-time code for an identity and checks what the relay signed. Keeps nothing. */
export async function enrol({ relay, code }: EnrolmentLink): Promise<Result<Identity, EnrolError>> {
  const keys = await systemCrypto.generateKeyPair();
  const publicKey = bytesToHex(keys.publicKey);
  const answer = await createFetchHttp({ relay, token: null }).request({
    method: "POST",
    path: "/v1/enrol",
    headers: { "content-type": "application/json" },
    body: utf8ToBytes(JSON.stringify({ code, publicKey, platform: platformName })),
    timeoutMs: TIMEOUT_MS,
  });
  if (answer.status === 0) return err({ error: "offline" });
  const body = readJson(answer.body);
  if (answer.status !== 200 && answer.status !== 201) {
    const refusal = (body as { code?: unknown } | null)?.code;
    if (refusal === "enrol.code") return err({ error: "code" });
    return err({ error: "relay", code: typeof refusal === "string" ? refusal : String(answer.status) });
  }
  const enrolled = enrolAnswerSchema.safeParse(body);
  if (!enrolled.success) return err({ error: "relay", code: "answer" });
  const certificate = await readCertificate(enrolled.data, publicKey);
  if (certificate === null) return err({ error: "forged" });
  const { token, certificateSignature, rootKey, name, zone } = enrolled.data;
  return ok({
    workspace: certificate.workspace,
    device: certificate.device,
    rep: certificate.rep,
    name,
    role: certificate.role,
    zone,
    relay,
    token,
    secretKey: bytesToHex(keys.secretKey),
    publicKey,
    rootKey,
    certificate: enrolled.data.certificate,
    certificateSignature,
  });
}

async function readCertificate(answer: EnrolAnswer, publicKey: string): Promise<Certificate | null> {
  const parsed = certificateSchema.safeParse(readJson(utf8ToBytes(answer.certificate)));
  if (!parsed.success || parsed.data.publicKey !== publicKey) return null;
  const message = certificateMessage(sha256Hex(utf8ToBytes(answer.certificate)));
  const signature = bytesOf(answer.certificateSignature);
  const rootKey = bytesOf(answer.rootKey);
  if (signature === null || rootKey === null) return null;
  return (await systemCrypto.verify(signature, message, rootKey)) ? parsed.data : null;
}

function bytesOf(hex: string): Uint8Array | null {
  try {
    return hexToBytes(hex);
  } catch {
    return null;
  }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return null;
  }
}
