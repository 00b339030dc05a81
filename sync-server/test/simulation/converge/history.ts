import { schemaRules, type DocumentKind, type ReadingRules } from "@sampai/engine";
import { putDocuments } from "../../../src/documents/put-documents.ts";
import { seeded, type Seeded } from "../../../../engine/test/seeded.ts";
import { AuthoredEdits } from "./authored.ts";
import { randomEdit, TERRITORIES } from "./edits.ts";
import type { PhoneSetting, SimulatedPhone } from "./phone.ts";
import type { SimulatedStockClient, StockSetting } from "./stock-client.ts";
import { World } from "./world.ts";

const STORES = 5;
const STOCK_CLIENTS = 3;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A history that has come to rest: every device connected, the relay up, nothing on its way. */
export interface RestedHistory {
  readonly world: World;
  readonly authored: AuthoredEdits;
  readonly packs: readonly ReadingRules[];
  /** False where it never came to rest. */
  readonly rested: boolean;
  readonly figures: Record<string, number>;
}

/** Chaos, then heal: the same seed gives the same history. */
export async function runHistory(seed: number, size: { devices: number; steps: number }): Promise<RestedHistory> {
  const random = seeded(seed);
  const world = new World(random);
  const packs = [schemaRules, otherRules(random)];
  const authored = new AuthoredEdits();
  const figures: Record<string, number> = {};
  const count = (what: string) => void (figures[what] = (figures[what] ?? 0) + 1);

  const stores = Array.from({ length: STORES }, (_, index) => ({
    kind: "store" as const,
    key: `S-${index}`,
    values: { name: `Kedai ${index}`, territory: TERRITORIES[index % TERRITORIES.length] ?? "T1", status: "active" },
  }));
  await world.relay.whileCommitting(putDocuments(world.relay.folder, stores));
  for (let index = 0; index < size.devices; index += 1) {
    await world.phone(settingOf(index, random), random.pick(packs));
  }
  for (let index = 0; index < STOCK_CLIENTS; index += 1) await world.stockClient(stockSettingOf(index, random));
  for (const client of world.stockClients) {
    for (const { doc } of world.relay.host.registry.all()) client.open(doc);
    world.connectStock(client);
  }
  for (const phone of world.phones) if (random.chance(0.8)) world.connect(phone);
  await world.settle(1_000);

  for (let step = 0; step < size.steps; step += 1) {
    const phone = random.pick(world.phones);
    world.time.advance(1 + random.below(4_000));
    if (random.chance(0.4)) useStock(random.pick(world.stockClients));
    const dice = random.below(100);
    if (dice < 54) await edit(phone);
    else if (dice < 60) await make(phone);
    else if (dice < 75) world.connect(phone);
    else if (dice < 84) {
      if (phone.connection?.isOpen === true) count("cuts");
      phone.disconnect();
    } else if (dice < 88) {
      await world.crash(phone);
      authored.note(phone);
      count("crashes");
    } else if (dice < 92) await moveStore();
    else if (dice < 95) await movePerson(random.chance(0.7) ? phone : random.pick(world.stockClients));
    else if (dice < 96) {
      world.restartRelay();
      count("relay restarts");
    } else if (dice < 97) {
      world.relay.database.fullFor += 1 + random.below(3);
      count("full disks");
    } else if (dice < 98) {
      phone.rules = random.pick(packs);
      phone.documents.rulesChanged();
    } else world.time.advance(random.pick([MINUTE_MS, 60 * MINUTE_MS, DAY_MS, 8 * DAY_MS]));
    for (let frames = random.below(30); frames > 0; frames -= 1) await world.step(1);
    if (random.chance(0.25)) world.time.runNext(10 * MINUTE_MS);
  }

  world.relay.database.fullFor = 0;
  for (const phone of world.phones) world.connect(phone);
  for (const client of world.stockClients) {
    // Automerge's sync state takes for sent what the relay would not have then: it is offered again on a new connection.
    client.disconnect();
    world.connectStock(client);
  }
  const rested = await world.settle(MINUTE_MS);
  return { world, authored, packs, rested, figures };

  /** Edits something that is here; sometimes the phone dies before it can say that it is saved. */
  async function edit(phone: SimulatedPhone): Promise<void> {
    const kind = random.pick<DocumentKind>(["store", "store", "store", "visit", "plan"]);
    const here = phone.documents.list(kind);
    if (here.length === 0) return;
    const { key } = random.pick(here);
    const view = await world.wait(phone.documents.view(kind, key));
    if (!view.ok) return;
    const { notes } = view.value.value;
    const { believes } = phone.setting;
    const edits = Array.from({ length: 1 + random.below(2) }, () =>
      randomEdit(random, kind, believes, String(notes).length),
    );
    const fields = new Set(edits.map(({ field }) => field));
    if (fields.size < edits.length) edits.length = 1;
    await save(phone, phone.documents.edit(kind, key, edits));
  }

  /** Makes an outlet that HQ has never heard of, a visit to a store that is here, or a plan. */
  async function make(phone: SimulatedPhone): Promise<void> {
    const { person, believes } = phone.setting;
    const number = random.below(1_000_000);
    const store = phone.documents.list("store").at(0)?.key ?? "S-0";
    const territory = random.pick(phone.territories.includes("*") ? TERRITORIES : phone.territories);
    switch (random.pick(["store", "visit", "plan"] as const)) {
      case "store": {
        // Two reps may find the same outlet, and key it by its registration number.
        const key = random.chance(0.4) ? `tmp-${random.below(3)}` : `tmp-${person}-${number}`;
        const made = phone.documents.create("store", key, [
          { field: "name", set: `Kedai baru ${number}` },
          { field: "territory", set: territory },
        ]);
        return save(phone, made);
      }
      case "visit": {
        const edits = [
          { field: "store", set: store },
          { field: "rep", set: person },
          { field: "state", set: "open" },
        ];
        return save(phone, phone.documents.create("visit", `visit-${person}-${number}`, edits));
      }
      case "plan": {
        const rep = believes === "rep" ? person : `R${random.below(14)}`;
        const edits = [
          { field: "rep", set: rep },
          { field: "territory", set: territory },
        ];
        return save(phone, phone.documents.create("plan", `${rep}/2026-W${40 + random.below(4)}`, edits));
      }
    }
  }

  /** A client of automerge-repo opens a store, edits one, loses its connection or comes back. */
  function useStock(client: SimulatedStockClient): void {
    const dice = random.below(10);
    const stored = [...world.relay.host.registry.all()].filter(({ kind }) => kind === "store");
    if (dice < 3 && stored.length > 0) client.open(random.pick(stored).doc);
    else if (dice < 7) {
      const here = client.here();
      if (here.length === 0) return;
      client.edit(random.pick(here));
      count("stock edits");
    } else if (dice < 8) client.disconnect();
    else world.connectStock(client);
  }

  async function save(phone: SimulatedPhone, work: Promise<{ readonly ok: boolean }>): Promise<void> {
    if (random.chance(0.06)) {
      if (random.chance(0.5)) await world.step(0);
      await world.crash(phone);
      count("crashes while saving");
    } else if ((await world.wait(work)).ok) count("edits saved");
    authored.note(phone);
  }

  /** A supervisor or HQ hands a store to another territory. */
  async function moveStore(): Promise<void> {
    const office = random.pick(world.phones.filter(({ setting }) => setting.role !== "rep"));
    const here = office.documents.list("store");
    if (here.length === 0) return;
    const { key } = random.pick(here);
    const set = random.pick(TERRITORIES);
    await save(office, office.documents.edit("store", key, [{ field: "territory", set }]));
    count("stores moved");
  }

  /** The office gives somebody other territories: they count at once. */
  async function movePerson(client: SimulatedPhone | SimulatedStockClient): Promise<void> {
    const { person, role } = client.setting;
    if (role === "hq") return;
    client.territories = territoriesOf(random);
    await world.relay.putPerson(person, role, client.territories);
    if (random.chance(0.5)) client.disconnect();
    world.relay.host.viewers.refresh();
    count("people moved");
  }
}

function settingOf(index: number, random: Seeded): PhoneSetting {
  const role = index % 10 < 7 ? "rep" : index % 10 < 9 ? "supervisor" : "hq";
  const person = `${role === "rep" ? "R" : role === "supervisor" ? "V" : "H"}${index}`;
  const territories = role === "hq" ? ["*"] : territoriesOf(random);
  // One app is tampered with, and a few clocks are wrong: the relay has to say no.
  const believes = index === 1 ? "supervisor" : role;
  const skewMs = random.pick([0, 0, 0, 0, 0, 0, 0, -DAY_MS, 20_000, 120 * MINUTE_MS]);
  return { device: `device-${index}`, person, role, believes, territories, skewMs };
}

/** One says who it is, one does not, and one writes what it may not. */
function stockSettingOf(index: number, random: Seeded): StockSetting {
  return {
    device: `stock-${index}`,
    person: `K${index}`,
    role: "rep",
    territories: [...new Set([random.pick(TERRITORIES), random.pick(TERRITORIES)])],
    named: index !== 1,
    hostile: index === 2,
  };
}

function territoriesOf(random: Seeded): string[] {
  const first = random.pick(TERRITORIES);
  return random.chance(0.4) ? [...new Set([first, random.pick(TERRITORIES)])] : [first];
}

/** A pack that settles some fields in other ways. */
function otherRules(random: Seeded): ReadingRules {
  const rules = ["latest", "authority", "keep-all"];
  const store = Object.fromEntries(
    ["name", "town", "channel", "status", "registrationNumber"].map((field) => [field, random.pick(rules)]),
  );
  return { conflicts: { store: { ...store, priceSen: random.pick(["min", "max", "latest"]) } }, names: {} };
}
