import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { packRoutes } from "./routes.ts";
import { packsOf } from "./stored-packs.ts";

// Reference: what HQ issues. Packs are kept for ever, without whom a decision forgot; devices fetch the newest by HTTP and swap between visits.

export function routes(context: RelayContext): readonly Route[] {
  return packRoutes(packsOf(context.db));
}

/** Every device of a workspace works with the same pack. */
export function newestPack(context: RelayContext): number | null {
  return packsOf(context.db).newestNumber();
}
