import assert from "node:assert/strict";
import type { Role } from "@sampai/engine/wire";
import { documentsOf, type DocumentFolder, type DocumentHost } from "../../../src/documents/host.ts";
import { part } from "../../../src/documents/index.ts";
import type { RelayPart, StockDoor } from "../../../src/relay/part.ts";
import { stockDoor } from "../../../src/stock-peers/index.ts";
import { createSimulatedDatabase, type SimulatedWriter } from "../in-memory-writer.ts";
import type { Seeded } from "../../../../engine/test/seeded.ts";
import { turn, watch, type SimulatedTime } from "../simulated-time.ts";

export const WORKSPACE = "demo";
export const TERM = "1:simulated";

/** The relay's documents part over its real registry, gate, feed and operations; only sockets and thread are left out. */
export class SimulatedRelay {
  readonly database = createSimulatedDatabase();
  /** What it logged as an error. */
  readonly errors: unknown[] = [];
  folder!: DocumentFolder;
  host!: DocumentHost;
  part!: RelayPart;
  /** Where stock clients come in. */
  door!: StockDoor;
  private writer!: SimulatedWriter;
  private clock!: ReturnType<SimulatedTime["clock"]>;
  private readonly time: SimulatedTime;
  private readonly random: Seeded;

  constructor(time: SimulatedTime, random: Seeded) {
    this.time = time;
    this.random = random;
    this.start();
  }

  start(): void {
    this.clock = this.time.clock(0);
    const { clock } = this;
    this.writer = this.database.open(() => new Date(clock.wallMs()).toISOString());
    const log = { error: (...error: unknown[]) => void this.errors.push(error) };
    this.folder = { workspace: { id: WORKSPACE }, writer: this.writer, db: this.database.db, term: TERM, clock, log };
    this.host = documentsOf(this.folder);
    this.part = part(this.folder);
    this.door = stockDoor(this.folder);
  }

  /** The process dies: what was not committed is gone, and so are the connections. */
  kill(): void {
    this.writer.kill();
    this.clock.stop();
  }

  /** Whether a commit is due. */
  waits(): boolean {
    return this.writer.waits();
  }

  /** Commits what waits, unless the seed has it wait for more. */
  maybeCommit(): void {
    if (this.waits() && this.random.chance(0.6)) this.writer.commit();
  }

  commit(): void {
    this.writer.commit();
  }

  /** Does what needs commits, and makes them. */
  async whileCommitting<T>(work: Promise<T>): Promise<T> {
    const watched = watch(work);
    while (!watched.done()) {
      this.writer.commit();
      await turn();
    }
    return watched.result;
  }

  async enrol(device: string, person: string, role: Role, territories: readonly string[]): Promise<void> {
    await this.putPerson(person, role, territories);
    const hash = `hash-of-${device}`;
    const expires = new Date(this.time.nowMs + 60_000).toISOString();
    const { writer } = this;
    await this.whileCommitting(writer.run("putEnrolment", { codeHash: hash, person, expires }));
    const enrolled = await this.whileCommitting(
      writer.run("enrol", {
        codeHash: hash,
        device,
        publicKey: hash,
        tokenHash: hash,
        platform: "simulation",
        certificate: "",
        certificateSignature: "",
        person,
        role,
      }),
    );
    assert.equal(enrolled, "enrolled");
  }

  async putPerson(code: string, role: Role, territories: readonly string[]): Promise<void> {
    // The office sees to the disk before it works.
    this.database.fullFor = 0;
    const people = [{ code, name: `${code} Bin Test`, role, territories }];
    await this.whileCommitting(this.writer.run("putPeople", { people }));
  }
}
