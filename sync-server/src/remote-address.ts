import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";

/** The address of the other side's socket. */
export function remoteAddress(c: Context): string {
  return getConnInfo(c).remote.address ?? "unknown";
}
