import { generateKeyPairSync } from "node:crypto";

/** A browser at headquarters without a screen: enrolled like any device, it reads boards, orders and photos by HTTP. */
export interface HqClient {
  json(path: string): Promise<unknown>;
  bytes(path: string): Promise<Uint8Array>;
}

/** Enrols a new device with a one-time code, as the published enrolment call says. Answers its token. */
export async function enrolByHttp(
  url: string,
  code: string,
): Promise<{ token: string; secretKey: Uint8Array; answer: Record<string, string> }> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const secretKey = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const answer = await fetch(`${url}/v1/enrol`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code, publicKey: raw.toString("hex"), platform: "conformance" }),
  });
  if (!answer.ok) throw new Error(`enrolment: ${answer.status} ${await answer.text()}`);
  const body = (await answer.json()) as Record<string, string>;
  return { token: String(body["token"]), secretKey: new Uint8Array(secretKey), answer: body };
}

export async function openHq(url: string, code: string): Promise<HqClient> {
  const { token } = await enrolByHttp(url, code);
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    json: async (path) => (await get(path)).json(),
    bytes: async (path) => new Uint8Array(await (await get(path)).arrayBuffer()),
  };
}
