import type { RelayContext } from "./context.ts";
import * as day from "./day/index.ts";
import * as devices from "./devices/index.ts";
import * as documents from "./documents/index.ts";
import * as followers from "./followers/room.ts";
import * as privacy from "./privacy/index.ts";
import * as proof from "./proof/index.ts";
import * as imports from "./import/index.ts";
import * as photos from "./photos/index.ts";
import * as reference from "./reference/index.ts";
import * as rescue from "./rescue/index.ts";
import * as orderLog from "./order-log/index.ts";
import * as facts from "./relay/facts.ts";
import type { Caller, RelayPart, StockDoor } from "./relay/part.ts";
import type { Route } from "./route.ts";
import * as stockPeers from "./stock-peers/index.ts";

/** What a room gives the relay. Parts and routes are made once per relay, then `start` runs. */
export interface Room {
  routes?(context: RelayContext): readonly Route[];
  part?(context: RelayContext): RelayPart;
  /** The one room that serves clients of automerge-repo. */
  stockDoor?(context: RelayContext): StockDoor;
  /** The one room that issues reference packs says which is the newest for a device. */
  newestPack?(context: RelayContext, caller: Caller): number | null;
  /** Starts what runs by itself, such as followers. The answer stops it. */
  start?(context: RelayContext): Promise<() => Promise<void>>;
}

/** Every room there is: a new one adds its line here. */
export const rooms: readonly Room[] = [
  facts,
  orderLog,
  documents,
  proof,
  devices,
  reference,
  imports,
  photos,
  followers,
  day,
  rescue,
  privacy,
  stockPeers,
];
