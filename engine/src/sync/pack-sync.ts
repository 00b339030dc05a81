import type { Clock } from "../core/clock.ts";
import { sha256Hex } from "../core/hash.ts";
import { ok } from "../core/result.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { HeldReference } from "../reference/held-packs.ts";
import { applyPackDelta, PACK_DELTA } from "../reference/pack-delta.ts";
import type { PackError } from "../reference/pack-file.ts";
import type { Http, HttpAnswer } from "./http.ts";
import type { SyncPart } from "./wire.ts";

export interface PackSyncDeps {
  readonly http: Http;
  readonly reference: HeldReference;
  readonly clock: Clock;
  readonly lanes: Lanes;
  /** Told when the relay offered a pack that this device does not take: the one in force stays, a person should know. */
  readonly onRefused: (refusal: PackError & { readonly number: number }) => void;
}

const TIMEOUT_MS = 60_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 300_000;

/**
 * Fetches the newest reference pack when the relay names one that is not here: on contact (`claimed.pack`) and when one
 * is announced (`pack`). Where an older pack is here the relay may answer with what differs from it (RFC 3229); a delta
 * that does not make the pack is dropped, and the whole pack fetched. One download at a time; a lost one is tried again
 * while the connection lives, with a growing delay; a refused one only when the relay names a pack again.
 */
export function createPackSync(deps: PackSyncDeps): SyncPart {
  const { http, reference, clock, lanes } = deps;
  let connected = false;
  let wanted = 0;
  let busy = false;
  let retryMs = FIRST_RETRY_MS;
  let cancelRetry = () => {};

  const later = () => {
    const delayMs = retryMs;
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    cancelRetry = clock.after(delayMs, fetchWanted);
  };

  async function get(number: number, headers: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const release = await lanes.enter("documents");
    return http
      .request({ method: "GET", path: `/v1/packs/${number}`, headers, timeoutMs: TIMEOUT_MS })
      .finally(release);
  }

  /** The pack's bytes in an answer, whole or as a delta to what is held here; null where they are not what its ETag says. */
  function bytesIn({ status, headers, body }: HttpAnswer, base: Uint8Array | undefined): Uint8Array | null {
    const made = status === 226 && base !== undefined ? applyPackDelta(base, body) : ok(body);
    return made.ok && headers["etag"]?.replace(/^W\//, "") === `"${sha256Hex(made.value)}"` ? made.value : null;
  }

  async function download(number: number): Promise<"taken" | "refused" | "lost"> {
    // What this phone's disk does not give is no base: the whole pack comes.
    const base = await reference.newestFile().catch(() => undefined);
    const asDelta = base === undefined ? {} : { "if-none-match": `"${base.sha256}"`, "a-im": PACK_DELTA };
    let answer = await get(number, asDelta);
    let bytes = bytesIn(answer, base?.bytes);
    if (answer.status === 226 && bytes === null) {
      answer = await get(number, {});
      bytes = bytesIn(answer, undefined);
    }
    if (answer.status === 404) return "refused";
    // A body that is not what its ETag says was cut or changed on the way: that is a lost download, not a forged pack.
    if ((answer.status !== 200 && answer.status !== 226) || bytes === null) return "lost";
    const signature = answer.headers["sampai-signature"] ?? "";
    let offered;
    try {
      offered = await reference.offer({ number, bytes, signature });
    } catch {
      // The phone's disk did not take it. Nothing changed; a later try may find room.
      return "lost";
    }
    if (offered.ok) return "taken";
    deps.onRefused({ ...offered.error, number });
    return "refused";
  }

  function fetchWanted() {
    if (!connected || busy || wanted <= reference.newest()) return;
    const number = wanted;
    busy = true;
    void download(number).then((end) => {
      busy = false;
      if (end === "lost") {
        if (connected) later();
        return;
      }
      retryMs = FIRST_RETRY_MS;
      if (end === "refused" && wanted === number) wanted = 0;
      fetchWanted();
    });
  }

  const want = (number: number) => {
    wanted = Math.max(wanted, number);
    cancelRetry();
    fetchWanted();
  };

  return {
    name: "packs",
    connected: (_wire, claimed) => {
      connected = true;
      wanted = 0;
      retryMs = FIRST_RETRY_MS;
      if (claimed.pack !== null) want(claimed.pack);
    },
    receive: (message) => {
      if (message.type === "pack") want(message.number);
    },
    lost: () => {
      connected = false;
      cancelRetry();
    },
  };
}
