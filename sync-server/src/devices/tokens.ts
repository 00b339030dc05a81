import { err, ok, type Clock, type Result } from "@sampai/engine/core";
import type { Refusal, Role } from "@sampai/engine/wire";
import { createHash, randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Caller } from "../relay/part.ts";

/** Tells who speaks from the secret they show. Only hashes are stored, so a copy of the database opens nothing. */
export interface Tokens {
  callerOf(token: string | undefined): Result<Caller, Refusal>;
  /** A ticket stands for its device once, for a minute: for clients that can only set an address. */
  makeTicket(device: string): { ticket: string; expiresMs: number };
  callerOfTicket(ticket: string): Result<Caller, Refusal>;
}

const TICKET_MS = 60_000;
/** Tickets that are open at once; the oldest goes first. */
const TICKETS = 10_000;

/**
 * 32 random bytes as text that fits an address, a websocket subprotocol and a command line: hexadecimal, because
 * base64url can begin with a dash, which a command line takes for an option.
 */
export const newSecret = (): string => randomBytes(32).toString("hex");
export const secretHash = (secret: string): string => createHash("sha256").update(secret).digest("hex");

export function createTokens(db: DatabaseSync, clock: Clock): Tokens {
  const select = `select device.device, device.person, device.public_key as publicKey, device.revoked,
      coalesce(person.name, device.person) as name, coalesce(person.role, device.role) as role,
      coalesce(person.territories, '[]') as territories
    from device left join person on person.code = device.person`;
  const byToken = db.prepare(`${select} where device.token_hash = ?`);
  const byDevice = db.prepare(`${select} where device.device = ?`);
  const tickets = new Map<string, { device: string; expiresMs: number }>();
  return {
    callerOf: (token) => {
      if (token === undefined || token === "") return err({ code: "auth.missing" });
      return callerFrom(byToken.get(secretHash(token)) as DeviceRow | undefined);
    },
    makeTicket: (device) => {
      const ticket = newSecret();
      const expiresMs = clock.wallMs() + TICKET_MS;
      tickets.set(secretHash(ticket), { device, expiresMs: clock.tickMs() + TICKET_MS });
      const oldest = tickets.keys().next().value;
      if (tickets.size > TICKETS && oldest !== undefined) tickets.delete(oldest);
      return { ticket, expiresMs };
    },
    callerOfTicket: (ticket) => {
      const hash = secretHash(ticket);
      const entry = tickets.get(hash);
      tickets.delete(hash);
      if (entry === undefined || entry.expiresMs < clock.tickMs()) return err({ code: "auth.unknown" });
      return callerFrom(byDevice.get(entry.device) as DeviceRow | undefined);
    },
  };
}

interface DeviceRow {
  readonly device: string;
  readonly person: string;
  readonly publicKey: string;
  readonly revoked: string | null;
  readonly name: string;
  readonly role: Role;
  readonly territories: string;
}

function callerFrom(row: DeviceRow | undefined): Result<Caller, Refusal> {
  if (row === undefined) return err({ code: "auth.unknown" });
  if (row.revoked !== null) return err({ code: "auth.revoked" });
  const { device, person, publicKey, name, role } = row;
  return ok({ device, person, publicKey, name, role, territories: JSON.parse(row.territories) as string[] });
}
