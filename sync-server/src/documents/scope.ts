import type { Role } from "@sampai/engine/wire";
import type { DocumentRegistry } from "./registry.ts";
import { LEFT_DAYS } from "./operations.ts";
import type { DocumentRow, StoredDocuments } from "./stored-documents.ts";

/** Whose eyes: a person with a role and the territories given to it. */
export interface Viewer {
  readonly device: string;
  readonly person: string;
  readonly role: Role;
  readonly territories: readonly string[];
}

type Placed = Pick<DocumentRow, "kind" | "territory" | "owner" | "tombstone">;

/**
 * Who sees what: HQ (and whoever has the territory `*`) everything; a supervisor whatever lies in his territories; a rep
 * the stores of his territories, and the visits and plans that are his own.
 */
export function inScope(viewer: Viewer, row: Placed): boolean {
  if (row.tombstone !== null) return false;
  if (viewer.role === "hq" || viewer.territories.includes("*")) return true;
  if (row.owner === viewer.person) return true;
  if (viewer.role === "rep" && row.kind !== "store") return false;
  return row.territory !== null && viewer.territories.includes(row.territory);
}

/** Every document that this viewer's device should hold. */
export function scopeOf(viewer: Viewer, registry: DocumentRegistry): Set<string> {
  const docs = new Set<string>();
  const take = (ids: Iterable<string>) => {
    for (const doc of ids) {
      const row = registry.get(doc);
      if (row !== undefined && inScope(viewer, row)) docs.add(doc);
    }
  };
  if (viewer.role === "hq" || viewer.territories.includes("*")) {
    for (const { doc, tombstone } of registry.all()) if (tombstone === null) docs.add(doc);
    return docs;
  }
  for (const territory of viewer.territories) take(registry.inTerritory(territory));
  take(registry.ownedBy(viewer.person));
  return docs;
}

/**
 * Whether this device may still write into a document that is no longer in its scope: it was given the document, and
 * less than seven days ago it was told to drop it, or the document or the person changed territory.
 */
export function mayStillWrite(viewer: Viewer, row: DocumentRow, stored: StoredDocuments, nowMs: number): boolean {
  if (row.tombstone !== null) return false;
  const held = stored.heldRow(viewer.device, row.doc);
  if (held === undefined) return false;
  const { changed } = stored.scopeVersion(viewer.device);
  const left = [held.goneAt, row.moved, changed].filter((time) => time !== null).map((time) => Date.parse(time));
  return nowMs - Math.max(0, ...left) < LEFT_DAYS * 86_400_000;
}
