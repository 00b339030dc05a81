import { refusals, type Refusal } from "@sampai/engine/wire";
import type { DatabaseSync } from "node:sqlite";
import type { RelayContext } from "../context.ts";

/** Revokes a device. Its token stops at once, and an open connection of it is told why and closed. */
export async function revokeDevice(
  context: RelayContext,
  device: string,
  by: string,
  reason: string,
): Promise<boolean> {
  const done = await context.writer.run("revoke", { device, by, reason });
  const open = context.hub.of(device);
  if (done && open !== undefined) {
    const { meaning, close } = refusals["auth.revoked"];
    open.send({ type: "notice", topic: "revoked", text: meaning });
    open.close(close ?? 1008, "auth.revoked");
  }
  return done;
}

/** Why a revocation, or taking one back, has changed nothing. */
export function nothingToRevoke(db: DatabaseSync, device: string, undo: boolean): Refusal {
  const known = db
    .prepare("select 1 from device where device = ?1 union select 1 from revoked_before where device = ?1")
    .get(device);
  const detail = device.slice(0, 60);
  if (known === undefined) return { code: "device.unknown", detail };
  return { code: undo ? "device.active" : "device.revoked", detail };
}
