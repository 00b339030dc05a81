import { utcFromMs } from "@sampai/engine/core";
import { enrolAgainSchema, enrolRequestSchema, roleSchema } from "@sampai/engine/wire";
import type { Context } from "hono";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { z } from "zod";
import type { RelayContext } from "../context.ts";
import { remoteAddress } from "../remote-address.ts";
import type { Caller } from "../relay/part.ts";
import type { Route } from "../route.ts";
import { enrol, invite, INVITATION_MINUTES } from "./enrolment.ts";
import { enrolAgain } from "./enrol-again.ts";
import { nothingToRevoke, revokeDevice } from "./revocation.ts";

// Only failures count: a whole office may enrol from one address, a guesser may not.
const FAILED_ENROLMENTS_PER_MINUTE = 20;

const inviteSchema = z.strictObject({
  person: z.string().min(1).max(60),
  ttlMinutes: z.number().min(1).max(43_200).default(INVITATION_MINUTES),
  /** Adds the person where nobody has that code yet. */
  add: z
    .strictObject({
      name: z.string().min(1).max(200),
      role: roleSchema,
      territories: z.array(z.string().min(1).max(60)).max(200),
    })
    .optional(),
});
export type InviteRequest = z.input<typeof inviteSchema>;
const revokeSchema = z.strictObject({
  device: z.string().min(1).max(60),
  reason: z.string().max(500).default(""),
  undo: z.boolean().default(false),
});

export function routes(context: RelayContext): Route[] {
  const attempts = new RateLimiterMemory({ points: FAILED_ENROLMENTS_PER_MINUTE, duration: 60 });
  return [
    {
      method: "POST",
      path: "/v1/enrol",
      access: "public",
      bodyBytes: 4_096,
      does: "Enrols a device with a one-time code and its own public key; answers its certificate and token.",
      handle: async (c) => {
        const address = remoteAddress(c);
        const tried = await attempts.get(address);
        if (tried !== null && tried.remainingPoints <= 0) {
          return { code: "frame.rate", detail: "enrolment", retryAfterMs: tried.msBeforeNext };
        }
        const request = enrolRequestSchema.safeParse(await bodyOf(c));
        if (!request.success) return { code: "request.malformed", detail: "enrolment" };
        const answer = await enrol(context, request.data);
        if (answer.ok) return c.json(answer.value);
        await attempts.consume(address).catch(() => undefined);
        return answer.error;
      },
    },
    {
      method: "POST",
      path: "/v1/enrol/again",
      access: "public",
      bodyBytes: 8_192,
      does: "Takes back a device that a restored relay does not know, by its certificate and its own signature.",
      handle: async (c) => {
        const address = remoteAddress(c);
        const tried = await attempts.get(address);
        if (tried !== null && tried.remainingPoints <= 0) {
          return { code: "frame.rate", detail: "enrolment", retryAfterMs: tried.msBeforeNext };
        }
        const request = enrolAgainSchema.safeParse(await bodyOf(c));
        if (!request.success) return { code: "request.malformed", detail: "certificate" };
        const answer = await enrolAgain(context, request.data);
        if (answer.ok) return c.json(answer.value);
        await attempts.consume(address).catch(() => undefined);
        return answer.error;
      },
    },
    {
      method: "POST",
      path: "/v1/ticket",
      access: "device",
      does: "A single-use ticket of 60 seconds for a websocket address, for clients that cannot set a header.",
      handle: (c, caller) => {
        const { ticket, expiresMs } = context.tokens.makeTicket((caller as Caller).device);
        return c.json({ ticket, expires: utcFromMs(expiresMs) });
      },
    },
    {
      method: "POST",
      path: "/v1/operator/enrolments",
      access: "operator",
      does: "Makes a one-time enrolment link for a person.",
      handle: async (c) => {
        const request = inviteSchema.safeParse(await bodyOf(c));
        if (!request.success) return { code: "request.malformed", detail: "person, ttlMinutes" };
        const { person, ttlMinutes, add } = request.data;
        if (add !== undefined) await context.writer.run("addPerson", { person: { code: person, ...add } });
        const invitation = await invite(context, person, ttlMinutes);
        if (!invitation.ok) return invitation.error;
        const { code, expires } = invitation.value;
        return c.json({ person, code, link: `${context.url()}/enrol#${code}`, expires });
      },
    },
    {
      method: "POST",
      path: "/v1/operator/revoke",
      access: "operator",
      does: "Revokes a device at once, or takes a revocation back.",
      handle: async (c) => {
        const request = revokeSchema.safeParse(await bodyOf(c));
        if (!request.success) return { code: "request.malformed", detail: "device, reason" };
        const { device, reason, undo } = request.data;
        const done = undo
          ? await context.writer.run("unrevoke", { device, by: "operator" })
          : await revokeDevice(context, device, "operator", reason);
        return done ? c.json({ device, revoked: !undo }) : nothingToRevoke(context.db, device, undo);
      },
    },
  ];
}

async function bodyOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
}
