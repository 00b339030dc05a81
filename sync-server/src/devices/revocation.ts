import { refusals } from "@sampai/engine/wire";
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
