import {
  createDocuments,
  createDocumentSync,
  type DocumentStore,
  type DocumentSync,
  type Identity,
  type Lanes,
  type ReadingRules,
} from "@sampai/engine";
import type { Role } from "@sampai/engine/wire";
import { createSimulatedFlash, type CrashingStorage, type SimulatedFlash } from "../crashing-storage.ts";
import type { Seeded } from "../../../../engine/test/seeded.ts";
import type { SimulatedTime } from "../simulated-time.ts";
import type { SimulatedConnection } from "./connection.ts";
import { WORKSPACE } from "./relay.ts";

const openLanes: Lanes = {
  waiting: () => undefined,
  enter: () => Promise.resolve(() => undefined),
  mustYield: () => false,
};

export interface PhoneSetting {
  readonly device: string;
  readonly person: string;
  /** As the office enrolled it. */
  readonly role: Role;
  /** As its app thinks. */
  readonly believes: Role;
  readonly territories: readonly string[];
  /** Milliseconds by which its clock is wrong. */
  readonly skewMs: number;
}

/** A device: its flash outlives a crash; documents, sync and clock are new after it. */
export class SimulatedPhone {
  readonly setting: PhoneSetting;
  /** What the office gives this person now. */
  territories: readonly string[];
  rules: ReadingRules;
  documents!: DocumentStore;
  sync!: DocumentSync;
  storage!: CrashingStorage;
  connection: SimulatedConnection | null = null;
  private clock!: ReturnType<SimulatedTime["clock"]>;
  private readonly flash: SimulatedFlash;
  private readonly time: SimulatedTime;
  private readonly random: Seeded;

  constructor(setting: PhoneSetting, rules: ReadingRules, time: SimulatedTime, random: Seeded) {
    this.setting = setting;
    this.territories = setting.territories;
    this.rules = rules;
    this.time = time;
    this.random = random;
    this.flash = createSimulatedFlash(random);
  }

  /** A start of the app over what is durable. Before it is done nothing else MUST be asked of the phone. */
  async boot(): Promise<void> {
    const { device, person, believes, skewMs } = this.setting;
    this.clock = this.time.clock(skewMs);
    this.storage = this.flash.open();
    const identity: Identity = {
      workspace: WORKSPACE,
      device,
      rep: person,
      name: person,
      role: believes,
      zone: "Asia/Kuala_Lumpur",
      relay: "",
      token: "",
      secretKey: "",
      publicKey: "",
      rootKey: "",
      certificate: "",
      certificateSignature: "",
    };
    const { clock, storage, random } = this;
    const rules = () => this.rules;
    this.documents = await createDocuments({ identity, clock, random, storage, anchor: () => null, rules });
    this.sync = createDocumentSync({
      documents: this.documents,
      lanes: openLanes,
      clock,
      attempted: () => undefined,
    });
  }

  /** The process dies. */
  kill(): void {
    this.disconnect();
    this.storage.kill();
    this.clock.stop();
  }

  disconnect(relayIsThere = true): void {
    this.connection?.cut(relayIsThere);
    this.connection = null;
  }

  get viewer() {
    const { device, person, role } = this.setting;
    return { device, person, role, territories: this.territories };
  }
}
