import { z } from "zod";
import type { RelayContext } from "../context.ts";
import { revokeDevice } from "../devices/revocation.ts";
import { announcement } from "../reference/routes.ts";
import type { Route } from "../route.ts";
import { forgetDerived } from "./derived.ts";
import { expireBefore, forgetPerson, hasBegun, removeExpiredFiles, type ExpiryOffice } from "./expiry.ts";

const reason = z.string().min(1).max(500);
const expireSchema = z.strictObject({
  before: z.iso.date(),
  what: z.enum(["events", "photos", "all"]).default("all"),
  reason,
});
const forgetSchema = z.strictObject({ person: z.string().min(1).max(60), reason });

const officeOf = ({ config, workspace, writer, db, clock }: RelayContext): ExpiryOffice => ({
  dir: config.dir,
  workspace,
  writer,
  db,
  clock,
});

export function routes(context: RelayContext): Route[] {
  const by = "operator";
  return [
    {
      method: "POST",
      path: "/v1/operator/expire",
      access: "operator",
      does: "Removes the bytes of events and photos that came before a day, by a decision in the order log.",
      handle: async (c) => {
        const request = expireSchema.safeParse(await c.req.json().catch(() => undefined));
        if (!request.success) return { code: "request.malformed", detail: "before, what, reason" };
        if (!hasBegun(request.data.before, context.workspace.zone, context.clock.wallMs()))
          return { code: "request.malformed", detail: "before is a day that has not begun" };
        const done = await expireBefore(officeOf(context), { ...request.data, by });
        if (done.decisions.length > 0) forgetDerived(context.config.dir);
        return c.json(done);
      },
    },
    {
      method: "POST",
      path: "/v1/operator/forget",
      access: "operator",
      does: "Revokes a person's devices and removes what is held about the person; the order log stays provable.",
      handle: async (c) => {
        const request = forgetSchema.safeParse(await c.req.json().catch(() => undefined));
        if (!request.success) return { code: "request.malformed", detail: "person, reason" };
        const { person } = request.data;
        const devices = context.db
          .prepare("select device from device where person = ? and revoked is null")
          .all(person);
        for (const { device } of devices as { device: string }[])
          await revokeDevice(context, device, by, request.data.reason);
        const done = await forgetPerson(officeOf(context), { ...request.data, by });
        if (!done.ok) return done.error;
        const { pack, decisions } = done.value;
        if (pack?.isNew === true) context.hub.send(announcement(pack), () => true);
        if (decisions.length > 0) forgetDerived(context.config.dir);
        return c.json(done.value);
      },
    },
  ];
}

/** Removes files that a stop left behind after their decision. */
export async function start(context: RelayContext): Promise<() => Promise<void>> {
  await removeExpiredFiles(officeOf(context));
  return () => Promise.resolve();
}
