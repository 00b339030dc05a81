import type { ClockAnchor, Clock } from "./core/clock.ts";
import type { Crypto } from "./core/crypto.ts";
import type { Ids } from "./core/id.ts";
import type { Random } from "./core/random.ts";
import type { Documents } from "./documents/documents.ts";
import type { Facts } from "./events/facts.ts";
import type { Identity } from "./identity.ts";
import type { PhotoChannel } from "./photos/channel.ts";
import type { Network } from "./photos/network.ts";
import type { Photos, Pictures } from "./photos/photos.ts";
import type { Reference } from "./reference/reference.ts";
import type { Files } from "./storage/files.ts";
import type { Storage } from "./storage/storage.ts";
import type { Http } from "./sync/http.ts";
import type { Link } from "./sync/link.ts";
import type { Attempt, Refusal } from "./wire/index.ts";

/** Everything that the engine asks of a platform. */
export interface EngineDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly crypto: Crypto;
  readonly storage: Storage;
  /** Photo bytes, apart from the storage, so that a large file never stands in a commit's way. */
  readonly files: Files;
  readonly link: Link;
  readonly http: Http;
  readonly pictures: Pictures;
  readonly photoChannel: PhotoChannel;
  readonly network: Network;
  /** Name and version of the app, for the claim. */
  readonly app: string;
}

/** `idle`: told to stay offline. `refused`: the relay does not want this device; the work stays here. */
export type LinkState = "idle" | "waiting" | "connecting" | "claiming" | "online" | "refused";

/** What the sync centre shows. Debt and connection are separate facts: online is not synced. */
export interface SyncStatus {
  readonly link: LinkState;
  readonly refusal: Refusal | null;
  /** RFC 3339 UTC of the next try, where one is planned. */
  readonly nextTryAt: string | null;
  readonly queue: {
    readonly events: number;
    readonly orders: number;
    readonly oldestAt: string | null;
    readonly documents: number;
    readonly photos: number;
    readonly photoBytes: number;
  };
  /** RFC 3339 UTC when the relay last acknowledged the last thing owed of facts and documents. */
  readonly allInAt: string | null;
  /** Facts and documents are at HQ. Photos are counted apart. */
  readonly safeToSwitchOff: boolean;
  readonly needsYou: number;
  readonly spent: { readonly day: string; readonly sentBytes: number; readonly receivedBytes: number };
  readonly anchor: ClockAnchor | null;
}

export interface Engine {
  readonly identity: Identity;
  readonly facts: Facts;
  readonly documents: Documents;
  readonly reference: Reference;
  readonly photos: Photos;
  status(): SyncStatus;
  /** The last attempts, newest last: what was tried, when, how many bytes, with which end. */
  attempts(): readonly Attempt[];
  /** Called when anything in `status` changed. The answer stops it. */
  onStatus(listener: (status: SyncStatus) => void): () => void;
  /** Starts or goes on trying to reach the relay. */
  goOnline(): void;
  /** Ends the connection and stays offline until `goOnline`. */
  goOffline(): void;
  /** The platform says the network changed or the app came back: an open connection is doubted, a waiting one tried now. */
  networkChanged(): void;
  /** Stops, after what is being saved is saved. */
  close(): Promise<void>;
}
