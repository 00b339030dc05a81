import type { Clock } from "../core/clock.ts";
import { sha256Hex } from "../core/hash.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { HeldReference } from "../reference/held-packs.ts";
import type { PackError } from "../reference/pack-file.ts";
import type { Http } from "./http.ts";
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
 * is announced (`pack`). One download at a time; a lost one is tried again while the connection lives, with a growing
 * delay; a refused one only when the relay names a pack again.
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

  async function download(number: number): Promise<"taken" | "refused" | "lost"> {
    const release = await lanes.enter("documents");
    const answer = await http
      .request({ method: "GET", path: `/v1/packs/${number}`, timeoutMs: TIMEOUT_MS })
      .finally(release);
    if (answer.status !== 200) return answer.status === 404 ? "refused" : "lost";
    // A body that is not what its ETag says was cut or changed on the way: that is a lost download, not a forged pack.
    if (answer.headers["etag"]?.replace(/^W\//, "") !== `"${sha256Hex(answer.body)}"`) return "lost";
    const signature = answer.headers["sampai-signature"] ?? "";
    let offered;
    try {
      offered = await reference.offer({ number, bytes: answer.body, signature });
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
