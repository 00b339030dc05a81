import { encodeFrame, type RelayMessage } from "@sampai/engine/wire";
import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import type { Route } from "../route.ts";
import type { StoredPacks } from "./stored-packs.ts";

const gzip = promisify(gzipCallback);
/** Packed forms kept: phones fetch the newest, a few catch up from the one before. */
const PACKED = 3;

/** Where devices fetch packs. The bytes under a number never change, so they may be cached for ever. */
export function packRoutes(packs: StoredPacks): Route[] {
  const packed = new Map<number, Promise<Uint8Array>>();
  const packedBytes = (number: number, bytes: Uint8Array): Promise<Uint8Array> => {
    const known = packed.get(number) ?? gzip(bytes, { level: 9 });
    packed.delete(number);
    packed.set(number, known);
    for (const oldest of packed.keys()) if (packed.size > PACKED) packed.delete(oldest);
    return known;
  };
  return [
    {
      method: "GET",
      path: "/v1/packs/:number",
      access: "device",
      does: "A reference pack's signed bytes, with its hash as ETag and the root key's signature in a header.",
      handle: async (c) => {
        const text = c.req.param("number") ?? "";
        const row = /^[1-9]\d{0,14}$/.test(text) ? packs.row(Number(text)) : undefined;
        if (row === undefined) return { code: "pack.unknown", detail: text.slice(0, 20) };
        const etag = `"${row.sha256}"`;
        const headers = {
          etag,
          "sampai-signature": row.signature,
          "cache-control": "private, max-age=31536000, immutable",
          vary: "accept-encoding",
        };
        if (holdsAlready(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
        const type = { ...headers, "content-type": "application/json" };
        if (!acceptsGzip(c.req.header("accept-encoding"))) return c.body(new Uint8Array(row.bytes), 200, type);
        const body = await packedBytes(row.number, row.bytes);
        return c.body(new Uint8Array(body), 200, { ...type, "content-encoding": "gzip" });
      },
    },
  ];
}

/** RFC 9110 §13.1.2: compared weakly, because whoever repacks a body on the way weakens its tag. */
function holdsAlready(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}

/** RFC 9110 §12.5.3: gzip named with a weight that is not zero. */
function acceptsGzip(header: string | undefined): boolean {
  const named = (header ?? "").split(",").map((part) => part.trim().toLowerCase());
  return named.some((part) => /^(gzip|x-gzip|\*)(\s*;.*)?$/.test(part) && !/;\s*q=0(\.0*)?\s*$/.test(part));
}

/** The frame that tells a connected device of a new pack. */
export function announcement(issued: { readonly number: number; readonly sha256: string }): Uint8Array {
  return encodeFrame({ type: "pack", number: issued.number, sha256: issued.sha256 } satisfies RelayMessage);
}
