import { err, ok, type Result } from "@sampai/engine/core";
import { inclusionProof } from "@sampai/engine/proof";
import type { Refusal } from "@sampai/engine/wire";
import { receiptText } from "./receipt.ts";
import { subtreesOf } from "./tiles.ts";
import type { TreeReader } from "./tree-reader.ts";

/** Writes the receipt of the row that `name` names (see `positionOf`), over the newest checkpoint. */
export function prove(reader: TreeReader, name: string): Result<string, Refusal> {
  const at = reader.positionOf(name);
  if (at === undefined) return err({ code: "log.unknown", detail: name.slice(0, 80) });
  const checkpoint = reader.checkpoint();
  if (checkpoint === undefined || checkpoint.size <= at.position)
    return err({ code: "log.uncovered", detail: name.slice(0, 80) });
  const [record] = reader.records(at.position, 1);
  if (record === undefined) return err({ code: "log.unknown", detail: name.slice(0, 80) });
  const path = inclusionProof(at.position, checkpoint.size, subtreesOf(reader));
  return ok(receiptText({ record, index: at.position, path, checkpoint: checkpoint.note }));
}
