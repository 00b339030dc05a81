import { HASH_BYTES, verifierOf, verifierText } from "@sampai/engine/proof";
import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { startTreeKeeper } from "./keeper.ts";
import { prove } from "./prove.ts";
import { TILE_WIDTH, tilePath } from "./tiles.ts";
import { createTreeReader } from "./tree-reader.ts";

export const start = startTreeKeeper;

const TEXT = { "content-type": "text/plain; charset=utf-8" };
/** A full tile never changes. */
const FOR_EVER = {
  "content-type": "application/octet-stream",
  "cache-control": "private, max-age=31536000, immutable",
};
const FOR_NOW = { "content-type": "application/octet-stream", "cache-control": "no-store" };

export function routes(context: RelayContext): Route[] {
  const reader = createTreeReader(context.db);
  return [
    {
      method: "GET",
      path: "/v1/log/key",
      access: "device",
      does: "The verifier key of the order log's checkpoints, as C2SP signed-note writes it.",
      handle: () => new Response(`${verifierText(verifierOf(context.workspace))}\n`, { headers: TEXT }),
    },
    {
      method: "GET",
      path: "/v1/log/checkpoint",
      access: "device",
      does: "The newest signed checkpoint of the order log (C2SP tlog-checkpoint).",
      handle: () => {
        const checkpoint = reader.checkpoint();
        return checkpoint === undefined
          ? { code: "log.uncovered" }
          : new Response(checkpoint.note, { headers: { ...TEXT, "cache-control": "no-store" } });
      },
    },
    {
      method: "GET",
      path: "/v1/log/receipts/:id",
      access: "device",
      does: "The receipt of an event by offline id, hash or position (C2SP tlog-proof): a rep's own, anyone's for the others.",
      handle: (c, caller) => {
        const id = c.req.param("id") ?? "";
        const at = reader.positionOf(id);
        if (caller?.role === "rep" && at?.device !== caller.device)
          return { code: "log.unknown", detail: id.slice(0, 80) };
        const receipt = prove(reader, id);
        return receipt.ok ? new Response(receipt.value, { headers: TEXT }) : receipt.error;
      },
    },
    {
      method: "GET",
      path: "/v1/log/tile/:rest{.+}",
      access: ["hq"],
      does: "The order log's tiles (C2SP tlog-tiles): tile/<level>/<index>, and tile/entries/<index> with the leaves.",
      handle: (c) => {
        const size = reader.checkpoint()?.size ?? 0;
        const wanted = readTilePath(`tile/${c.req.param("rest") ?? ""}`);
        if (wanted === null) return { code: "request.unknown" };
        const { level, index, width } = wanted;
        const headers = width === TILE_WIDTH ? FOR_EVER : FOR_NOW;
        if (level === "entries") {
          const records = index * TILE_WIDTH + width > size ? [] : reader.records(index * TILE_WIDTH, width);
          if (records.length < width) return { code: "request.unknown" };
          return new Response(entryBundle(records), { headers });
        }
        const hashes = reader.tile(level, index);
        if (hashes === undefined || hashes.length < width * HASH_BYTES) return { code: "request.unknown" };
        return new Response(hashes.slice(0, width * HASH_BYTES), { headers });
      },
    },
  ];
}

/** Entries one after the other, each behind its length in two big-endian bytes, as tlog-tiles lays them out. */
function entryBundle(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = records.flatMap((record) => [Uint8Array.of(record.length >> 8, record.length & 0xff), record]);
  return new Uint8Array(Buffer.concat(parts));
}

function readTilePath(path: string): { level: number | "entries"; index: number; width: number } | null {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return null;
  const level = match[1] === "entries" ? "entries" : Number(match[1]);
  const index = Number((match[2] as string).replaceAll(/[x/]/g, ""));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  return tilePath(level, index, width) === path && width >= 1 && width <= TILE_WIDTH ? { level, index, width } : null;
}
