import type { ReadingRules } from "@sampai/engine";
import assert from "node:assert/strict";
import type { Seeded } from "../../../../engine/test/seeded.ts";
import { SimulatedTime, turn, watch } from "../simulated-time.ts";
import { SimulatedConnection } from "./connection.ts";
import { SimulatedPhone, type PhoneSetting } from "./phone.ts";
import { SimulatedRelay, TERM } from "./relay.ts";
import { SimulatedStockClient, type StockSetting } from "./stock-client.ts";
import { StockConnection } from "./stock-connection.ts";

/** Turns after which a world that is left alone is taken for one that never rests. */
const PATIENCE = 200_000;

/** Phones and a relay in one process, in one time, run from one seed. */
export class World {
  readonly time = new SimulatedTime();
  readonly phones: SimulatedPhone[] = [];
  readonly stockClients: SimulatedStockClient[] = [];
  readonly relay: SimulatedRelay;
  readonly random: Seeded;
  private connections = 0;

  constructor(random: Seeded) {
    this.random = random;
    this.relay = new SimulatedRelay(this.time, random);
  }

  async phone(setting: PhoneSetting, rules: ReadingRules): Promise<SimulatedPhone> {
    const { device, person, role, territories } = setting;
    await this.relay.enrol(device, person, role, territories);
    const phone = new SimulatedPhone(setting, rules, this.time, this.random);
    await this.wait(phone.boot());
    this.phones.push(phone);
    return phone;
  }

  connect(phone: SimulatedPhone): void {
    if (phone.connection?.isOpen === true) return;
    const { device, person, role } = phone.setting;
    const { territories } = phone;
    const caller = { device, person, name: person, role, publicKey: "", territories };
    this.connections += 1;
    phone.connection = new SimulatedConnection(this.connections, caller, this.relay.part, phone.sync);
    phone.connection.start(TERM, new Date(this.time.nowMs).toISOString());
  }

  async stockClient(setting: StockSetting): Promise<void> {
    const { device, person, role, territories } = setting;
    await this.relay.enrol(device, person, role, territories);
    this.stockClients.push(new SimulatedStockClient(setting, this.time, this.random));
  }

  connectStock(client: SimulatedStockClient): void {
    if (client.connection?.isOpen === true) return;
    const { device, person, role } = client.setting;
    const { territories } = client;
    const caller = { device, person, name: person, role, publicKey: "", territories };
    this.connections += 1;
    new StockConnection(this.connections, caller, client).start(this.relay.door);
  }

  /** The phone's process dies and starts again. */
  async crash(phone: SimulatedPhone): Promise<void> {
    phone.kill();
    await this.wait(phone.boot());
  }

  /** The relay's process dies and starts again over its database. */
  restartRelay(): void {
    this.relay.kill();
    for (const phone of this.phones) phone.disconnect(false);
    for (const client of this.stockClients) client.connection?.cut(false);
    this.relay.start();
  }

  /** One turn in which disks do some of their work, and up to `frames` frames arrive. */
  async step(frames: number): Promise<number> {
    for (const { storage } of this.phones) if (storage.waits() && this.random.chance(0.8)) storage.advance();
    this.relay.maybeCommit();
    let delivered = 0;
    for (; delivered < frames; delivered += 1) {
      const ready = [...this.phones, ...this.stockClients].flatMap(({ connection }) => {
        if (connection === null) return [];
        return (["up", "down"] as const)
          .filter((direction) => connection.ready(direction))
          .map((direction) => ({ connection, direction }));
      });
      if (ready.length === 0) break;
      const { connection, direction } = this.random.pick(ready);
      connection.deliver(direction);
    }
    await turn();
    return delivered;
  }

  /** Waits for a phone's own work, while disks go on and no frame arrives. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const watched = watch(work);
    for (let turns = 0; !watched.done(); turns += 1) {
      assert.ok(turns < PATIENCE, "a phone's own work comes to an end");
      await this.step(0);
    }
    return watched.result;
  }

  /** Runs until nothing is on its way and no timer within `withinMs` is due. False where it never rests. */
  async settle(withinMs: number): Promise<boolean> {
    let quiet = 0;
    for (let turns = 0; turns < PATIENCE; turns += 1) {
      const delivered = await this.step(8);
      const busy =
        delivered > 0 ||
        this.relay.waits() ||
        this.phones.some(({ storage, connection }) => storage.waits() || connection?.busy === true);
      quiet = busy ? 0 : quiet + 1;
      if (quiet < 3) continue;
      // Whom the relay has hung up on comes back.
      const ended = this.phones.filter(({ connection }) => connection?.isOpen === false);
      for (const phone of ended) this.connect(phone);
      const endedStock = this.stockClients.filter(({ connection }) => connection?.isOpen === false);
      for (const client of endedStock) this.connectStock(client);
      if (ended.length + endedStock.length === 0 && !this.time.runNext(withinMs)) return true;
      quiet = 0;
    }
    return false;
  }
}
