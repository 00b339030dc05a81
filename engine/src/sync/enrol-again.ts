import type { Crypto } from "../core/crypto.ts";
import { bytesToHex, sha256Hex, utf8ToBytes } from "../core/hash.ts";
import type { Identity } from "../identity.ts";
import { enrolAgainMessage } from "../wire/index.ts";
import type { Http } from "./http.ts";

const ANSWER_MS = 10_000;

/** A relay that was restored from an older backup may not know this device any more: the certificate says that it was. */
export interface EnrolAgain {
  /** Shows the certificate, where it was not shown since the relay knew this device. True: the relay has taken it in. */
  show(): Promise<boolean>;
  /** The relay knows this device: where it forgets it again, the certificate is shown again. */
  known(): void;
}

export function createEnrolAgain(deps: {
  readonly identity: Identity;
  readonly secretKey: Uint8Array;
  readonly crypto: Crypto;
  readonly http: Http;
  /** Name and version of the app. */
  readonly app: string;
}): EnrolAgain {
  const { identity, secretKey, crypto, http, app } = deps;
  /** Once is enough. */
  let shown = false;
  return {
    show: async () => {
      if (shown) return false;
      shown = true;
      const { workspace, device, certificate, certificateSignature } = identity;
      const tokenHash = sha256Hex(utf8ToBytes(identity.token));
      const signature = bytesToHex(await crypto.sign(enrolAgainMessage({ workspace, device, tokenHash }), secretKey));
      const again = { certificate, certificateSignature, platform: app, tokenHash, signature };
      const answer = await http.request({
        method: "POST",
        path: "/v1/enrol/again",
        headers: { "content-type": "application/json" },
        body: utf8ToBytes(JSON.stringify(again)),
        timeoutMs: ANSWER_MS,
      });
      // No answer says nothing: the next try shows it again.
      if (answer.status === 0) shown = false;
      return answer.status === 200;
    },
    known: () => {
      shown = false;
    },
  };
}
