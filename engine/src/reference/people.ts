import type { Pack, Person } from "./pack.ts";

/** The person whose code this is, or undefined. */
export function personByCode(pack: Pack, code: string): Person | undefined {
  return pack.people.find((person) => person.code === code);
}

/** Whether a list of territory codes covers one: `*` covers the whole workspace. */
export function coversTerritory(territories: readonly string[], territory: string): boolean {
  return territories.includes("*") || territories.includes(territory);
}

/** Everybody who works in a territory, in the pack's order. */
export function peopleOf(pack: Pack, territory: string): readonly Person[] {
  return pack.people.filter((person) => coversTerritory(person.territories, territory));
}
