import { z } from "zod";
import type { Crypto } from "../core/crypto.ts";
import { hexToBytes, sha256Hex } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createSerial } from "../core/serial.ts";
import type { Identity } from "../identity.ts";
import type { Storage } from "../storage/storage.ts";
import { dayCertificateSchema, dayMessage, decodeFrame, encodeFrame, type DayCertificate } from "../wire/index.ts";

/** A day certificate as this device keeps it: verified with the workspace's root key, so it can be shown to anyone. */
export interface HeldDay {
  readonly certificate: DayCertificate;
  /** The UTF-8 JSON exactly as signed. */
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Its place in the order log. */
  readonly position: number;
}

/** What HQ has certified of this person's days. */
export interface Days {
  /** The certificate that holds for a day (`YYYY-MM-DD` in the workspace's zone), undefined where there is none here. */
  of(day: string): HeldDay | undefined;
  /** Newest day first. */
  list(): readonly HeldDay[];
  /** Called with each certificate when it is durable here. The answer stops it. */
  onCertified(listener: (held: HeldDay) => void): () => void;
}

/** Why a certificate is not kept. `day.older`: a newer one of the same day is here. */
export interface DayError {
  readonly code: "day.signature" | "day.malformed" | "day.other" | "day.older";
}

export interface HeldDays extends Days {
  /** Verifies, makes durable and tells. */
  take(offered: {
    certificate: Uint8Array;
    signature: Uint8Array;
    position: number;
  }): Promise<Result<HeldDay, DayError>>;
}

/** Days kept on a device. */
const KEPT = 90;
const PREFIX = "day/";

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const recordSchema = z.strictObject({ certificate: bytes, signature: bytes, position: z.int().min(0) });

export async function openHeldDays(deps: {
  readonly identity: Pick<Identity, "workspace" | "rep" | "rootKey">;
  readonly storage: Storage;
  readonly crypto: Crypto;
}): Promise<HeldDays> {
  const { identity, storage, crypto } = deps;
  const held = new Map<string, HeldDay>();
  const listeners = new Set<(day: HeldDay) => void>();
  const serial = createSerial();

  const verified = async (offered: z.infer<typeof recordSchema>): Promise<Result<HeldDay, DayError>> => {
    const { certificate, signature, position } = offered;
    const message = dayMessage(sha256Hex(certificate));
    // The signature first: nothing that HQ did not sign is parsed.
    if (!(await crypto.verify(signature, message, hexToBytes(identity.rootKey)))) return err({ code: "day.signature" });
    const read = dayCertificateSchema.safeParse(parse(certificate));
    if (!read.success) return err({ code: "day.malformed" });
    const { workspace, rep } = read.data;
    if (workspace !== identity.workspace || rep !== identity.rep) return err({ code: "day.other" });
    return ok({ certificate: read.data, bytes: certificate, signature, position });
  };

  for (const { value } of await storage.range(PREFIX)) {
    const record = decodeFrame(recordSchema, value);
    // One that cannot be read is asked for again at the next contact.
    if (!record.ok) continue;
    const day = await verified(record.value);
    if (day.ok) held.set(day.value.certificate.day, day.value);
  }
  const newestFirst = () => [...held.values()].sort((a, b) => (a.certificate.day < b.certificate.day ? 1 : -1));

  return {
    of: (day) => held.get(day),
    list: newestFirst,
    onCertified: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    take: (offered) =>
      serial(async () => {
        const day = await verified(offered);
        if (!day.ok) return day;
        const { certificate, bytes: text, signature, position } = day.value;
        const before = held.get(certificate.day);
        if (before !== undefined && !isNewer(certificate, before.certificate)) return err({ code: "day.older" });
        const others = newestFirst().filter(({ certificate: { day: other } }) => other !== certificate.day);
        const old = others.slice(KEPT - 1).map(({ certificate: { day: other } }) => other);
        await storage.commit([
          { key: PREFIX + certificate.day, value: encodeFrame({ certificate: text, signature, position }) },
          ...old.map((other) => ({ key: PREFIX + other, value: null })),
        ]);
        for (const other of old) held.delete(other);
        held.set(certificate.day, day.value);
        for (const listener of listeners) listener(day.value);
        return day;
      }),
  };
}

/** Numbers count up within a term; a relay restored from a backup gives one again, later. */
function isNewer(a: DayCertificate, b: DayCertificate): boolean {
  return a.term === b.term ? a.number > b.number : a.issuedAt > b.issuedAt;
}

function parse(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    return undefined;
  }
}
