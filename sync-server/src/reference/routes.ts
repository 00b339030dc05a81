import { PACK_DELTA } from "@sampai/engine";
import { encodeFrame, type RelayMessage } from "@sampai/engine/wire";
import type { Route } from "../route.ts";
import { createPackForms, type Form } from "./pack-forms.ts";
import type { StoredPacks } from "./stored-packs.ts";

/**
 * Where devices fetch packs. What a device works with under a number never changes, so it may be cached for ever; bytes
 * that a decision rewrote have a hash of their own. Who names the packs it holds in `If-None-Match` and takes deltas (`A-IM`) gets what differs, as `226 IM Used` (RFC 3229), where that is less.
 */
export function packRoutes(packs: StoredPacks): Route[] {
  const forms = createPackForms(packs);
  return [
    {
      method: "GET",
      path: "/v1/packs/:number",
      access: "device",
      does: "A reference pack's signed bytes, or what differs from a pack held already, with its hash as ETag and the root key's signature in a header.",
      handle: async (c) => {
        const text = c.req.param("number") ?? "";
        const row = /^[1-9]\d{0,14}$/.test(text) ? packs.row(Number(text)) : undefined;
        if (row === undefined) return { code: "pack.unknown", detail: text.slice(0, 20) };
        const etag = `"${row.sha256}"`;
        const held = tagsOf(c.req.header("if-none-match"));
        const headers = {
          etag,
          "sampai-signature": row.signature,
          "cache-control": "private, max-age=31536000, immutable",
          vary: "accept-encoding, a-im",
        };
        if (held.includes(row.sha256) || held.includes("*")) return c.body(null, 304, headers);
        const gzipped = accepts(c.req.header("accept-encoding"), ["gzip", "x-gzip", "*"]);
        const bodyOf = ({ bytes, gzipped: packed }: Form) => new Uint8Array(gzipped ? packed : bytes);
        const encoding = gzipped ? { "content-encoding": "gzip" } : {};
        const delta = accepts(c.req.header("a-im"), [PACK_DELTA]) ? await forms.delta(row, held) : null;
        if (delta !== null) {
          const differs = { im: PACK_DELTA, "delta-base": `"${delta.base}"`, "cache-control": "no-store" };
          return c.body(bodyOf(delta), 226, { ...headers, ...differs, ...encoding });
        }
        const type = { "content-type": "application/json" };
        return c.body(bodyOf(await forms.whole(row)), 200, { ...headers, ...type, ...encoding });
      },
    },
  ];
}

/** RFC 9110 §13.1.2: compared weakly, because whoever repacks a body on the way weakens its tag. */
function tagsOf(header: string | undefined): readonly string[] {
  return (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, "").replaceAll('"', ""));
}

/** RFC 9110 §12.5.3 and RFC 3229 §10.5.3: one of the names stands there with a weight that is not zero. */
function accepts(header: string | undefined, names: readonly string[]): boolean {
  const parts = (header ?? "").split(",").map((part) => part.trim().toLowerCase());
  return parts.some((part) => names.includes(part.split(/\s*;/, 1)[0] ?? "") && !/;\s*q=0(\.0*)?\s*$/.test(part));
}

/** The frame that tells a connected device of a new pack. */
export function announcement(issued: { readonly number: number; readonly sha256: string }): Uint8Array {
  return encodeFrame({ type: "pack", number: issued.number, sha256: issued.sha256 } satisfies RelayMessage);
}
