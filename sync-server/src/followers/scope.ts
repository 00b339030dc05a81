import type { DatabaseSync } from "node:sqlite";
import type { Caller } from "../relay/part.ts";

/** Territories whose people a caller may see: all for HQ, their own for a supervisor. */
export function territoriesOf({ role, territories }: Caller): readonly string[] {
  return role === "hq" ? ["*"] : territories;
}

/** Whom a caller may see: null is everybody; a rep sees only what is his own. */
export function visibleReps(db: DatabaseSync, caller: Caller): readonly string[] | null {
  if (caller.role === "rep") return [caller.person];
  const mine = territoriesOf(caller);
  if (mine.includes("*")) return null;
  const people = db.prepare("select code, territories from person").all() as { code: string; territories: string }[];
  return people
    .filter(({ territories }) => (JSON.parse(territories) as string[]).some((code) => mine.includes(code)))
    .map(({ code }) => code);
}
