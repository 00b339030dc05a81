import { bytesToHex, hexToBytes, sha256Hex, utf8ToBytes } from "./core/hash.ts";
import type { Crypto } from "./core/crypto.ts";
import { err, ok, type Result } from "./core/result.ts";
import type { Identity } from "./identity.ts";
import type { Http } from "./sync/http.ts";
import { refusalOfAnswer } from "./sync/link-end.ts";
import { certificateMessage, certificateSchema, enrolAnswerSchema, type Refusal } from "./wire/index.ts";

/** `enrol.offline`: no relay answered. `enrol.certificate`: what answered does not prove that it is the relay. */
export type EnrolmentRefusal =
  | Refusal
  | { readonly code: "enrol.offline" | "enrol.certificate"; readonly detail: string };

const TIMEOUT_MS = 60_000;

/**
 * Makes a key pair, hands in the one-time code and verifies the certificate with the workspace's root key. The identity
 * that comes back exists nowhere else: make it durable before it is used.
 */
export async function enrol(options: {
  readonly relay: string;
  readonly code: string;
  readonly platform: string;
  /** Without a token. */
  readonly http: Http;
  readonly crypto: Crypto;
}): Promise<Result<Identity, EnrolmentRefusal>> {
  const { relay, code, platform, http, crypto } = options;
  const pair = await crypto.generateKeyPair();
  const publicKey = bytesToHex(pair.publicKey);
  const answer = await http.request({
    method: "POST",
    path: "/v1/enrol",
    headers: { "content-type": "application/json" },
    body: utf8ToBytes(JSON.stringify({ code, publicKey, platform })),
    timeoutMs: TIMEOUT_MS,
  });
  if (answer.status === 0) return err({ code: "enrol.offline", detail: `${relay} does not answer` });
  const refused = refusalOfAnswer(answer);
  if (refused !== null) return err(refused);
  const enrolled = enrolAnswerSchema.safeParse(parse(answer.body));
  if (answer.status !== 200 || !enrolled.success)
    return err({ code: "enrol.certificate", detail: `${relay} is not a relay of this version` });

  const { certificate, certificateSignature, rootKey, token, name, zone } = enrolled.data;
  const message = certificateMessage(sha256Hex(utf8ToBytes(certificate)));
  if (!isHex(certificateSignature) || !isHex(rootKey))
    return err({ code: "enrol.certificate", detail: "signature or root key is not hexadecimal" });
  if (!(await crypto.verify(hexToBytes(certificateSignature), message, hexToBytes(rootKey))))
    return err({ code: "enrol.certificate", detail: "the root key did not sign it" });
  const said = certificateSchema.safeParse(parse(utf8ToBytes(certificate)));
  if (!said.success || said.data.publicKey !== publicKey)
    return err({ code: "enrol.certificate", detail: "it is not about this device's key" });
  const { workspace, device, rep, role } = said.data;
  return ok({
    workspace,
    device,
    rep,
    name,
    role,
    zone,
    relay,
    token,
    secretKey: bytesToHex(pair.secretKey),
    publicKey,
    rootKey,
    certificate,
    certificateSignature,
  });
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isHex(text: string): boolean {
  return /^([0-9a-f]{2})+$/.test(text);
}
