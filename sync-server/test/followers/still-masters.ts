import type { Pack } from "@sampai/engine";
import type { Masters, PlannedStop, StoreRecord } from "../../src/followers/masters.ts";
import type { Person } from "../../src/devices/operations.ts";

/** Masters that say what a test laid down and never change. */
export function stillMasters(told: {
  readonly stores?: readonly StoreRecord[];
  readonly people?: readonly Person[];
  readonly devices?: Readonly<Record<string, string>>;
  readonly packs?: readonly Pack[];
  readonly stops?: Readonly<Record<string, readonly PlannedStop[]>>;
}): Masters {
  const stores = new Map((told.stores ?? []).map((store) => [store.code, store]));
  const people = told.people ?? [];
  const packs = told.packs ?? [];
  return {
    personOf: (device) => told.devices?.[device] ?? null,
    person: (code) => people.find((person) => person.code === code),
    people: () => people,
    pack: (number) => packs.find((pack) => pack.number === number) ?? null,
    newestPack: () => packs.at(-1) ?? null,
    storeAt: (code) => stores.get(code) ?? null,
    storeSeen: () => null,
    stopsOn: (day) => told.stops?.[day] ?? [],
  };
}

export function storeAtPlace(code: string, lat: number, lon: number): StoreRecord {
  return { code, name: `Kedai ${code}`, lat, lon, uncertaintyMeters: 0, status: "active", territory: "N9" };
}
