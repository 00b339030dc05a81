import type { Refusal, Role } from "@sampai/engine/wire";
import type { Context } from "hono";
import type { Caller } from "./relay/part.ts";

/** `public`: anyone. `device`: any enrolled device. A list: these roles. `operator`: the data folder's own key, for the command line. */
export type Access = "public" | "device" | "operator" | readonly Role[];

/** One endpoint. All of them stand in the table of `routes.ts`; each room exports its own rows. */
export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE" | "OPTIONS";
  /** Hono path, such as `/v1/packs/:number`. */
  readonly path: string;
  readonly access: Access;
  /** What it does, in a sentence: for the API page. */
  readonly does: string;
  /** The largest body in bytes, 65,536 where absent; null: the room bounds what it reads itself. */
  readonly bodyBytes?: number | null;
  /** `caller` is null for public and operator routes. A refusal becomes an RFC 9457 problem with the table's status. */
  handle(context: Context, caller: Caller | null): Promise<Response | Refusal> | Response | Refusal;
}
