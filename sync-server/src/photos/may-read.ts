import type { DatabaseSync } from "node:sqlite";
import type { Caller } from "../relay/part.ts";

/**
 * Whether the caller may see photos and manifests of a person: a rep his own, whichever of his devices took them; a
 * supervisor those of people who share a territory with him; HQ all.
 */
export function mayRead(db: DatabaseSync): (caller: Caller, person: string) => boolean {
  const find = db.prepare("select territories from person where code = ?");
  return ({ role, person: own, territories }, person) => {
    if (role === "hq" || person === own) return true;
    if (role === "rep") return false;
    if (territories.includes("*")) return true;
    const row = find.get(person) as { territories: string } | undefined;
    const theirs = row === undefined ? [] : (JSON.parse(row.territories) as string[]);
    return theirs.some((code) => territories.includes(code));
  };
}
