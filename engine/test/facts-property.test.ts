import assert from "node:assert/strict";
import { test } from "node:test";
import { openSegments, type Files } from "../src/index.ts";
import { utcFromMs } from "../src/core/clock.ts";
import { createModelRelay, type ModelRelay } from "./model-relay.ts";
import { seeded, type Seeded } from "./seeded.ts";
import { attendance, crypto, identity, publicKey, startPhone, type SimulatedPhone } from "./simulated-phone.ts";
import { createSimulatedDisk, type SimulatedDisk } from "./simulated-disk.ts";
import { createSimulatedTime, type SimulatedTime } from "./simulated-time.ts";

const SEEDS = 40;
const STEPS = 80;
const small = { mergeCommits: 6, partBytes: 2_000 };

/** The disk as a kill leaves it: whole up to what was answered, the write that was under way cut anywhere. */
async function afterKill(disk: SimulatedDisk, answered: number, random: Seeded): Promise<SimulatedDisk> {
  const { operations } = disk;
  const count = answered + random.below(operations.length - answered + 1);
  const under = operations.findIndex(({ bytes }, index) => index >= answered && bytes !== null);
  const torn = new Map<number, number>();
  if (under >= 0 && under < count && random.chance(0.7))
    torn.set(under, random.below((operations[under]?.bytes?.length ?? 0) + 1));
  const image = await disk.after(torn.size > 0 ? under + 1 : count, torn);
  return copy(image);
}

async function copy(image: Files): Promise<SimulatedDisk> {
  const disk = createSimulatedDisk();
  for (const name of await image.list("segments")) {
    const bytes = await image.read(`segments/${name}`);
    assert.ok(bytes !== undefined);
    await disk.write(`segments/${name}`, bytes);
  }
  return disk;
}

/** A disk on which writes take time, so that a kill can come in the middle of one. */
function slow(disk: SimulatedDisk, time: SimulatedTime, random: Seeded, isDead: () => boolean): Files {
  const clock = time.clock("disk");
  return {
    ...disk,
    list: (folder) => disk.list(folder),
    read: (path) => disk.read(path),
    remove: (path) => (isDead() ? new Promise(() => {}) : disk.remove(path)),
    write: async (path, bytes) => {
      if (isDead()) return new Promise(() => {});
      await disk.write(path, bytes);
      await new Promise<void>((resolve) => {
        clock.after(1 + random.below(4), () => {
          if (!isDead()) resolve();
        });
      });
    },
  };
}

interface Told {
  /** Hashes that `capture` answered with ok. */
  readonly saved: Set<string>;
  /** Hashes shown as acknowledged, with their positions. */
  readonly acknowledged: Map<string, number>;
}

async function story(seed: number): Promise<{ relay: ModelRelay; told: Told; kills: number; phone: SimulatedPhone }> {
  const random = seeded(seed);
  const time = createSimulatedTime();
  const relay = createModelRelay({ ...identity, publicKey, crypto, nowUtc: () => utcFromMs(time.nowMs()) });
  const told: Told = { saved: new Set(), acknowledged: new Map() };
  let disk = createSimulatedDisk();
  let kills = 0;
  let life = { dead: false };
  /** Operations of the disk up to the last answered write. */
  let answered = 0;
  const begin = async () => {
    const mine = { dead: false };
    life = mine;
    let ready: SimulatedPhone | undefined;
    const opening = openSegments(
      slow(disk, time, random, () => mine.dead),
      small,
    ).then(async (storage) => {
      const commit = storage.commit.bind(storage);
      const noted = {
        ...storage,
        commit: async (writes: Parameters<typeof commit>[0]) => {
          await commit(writes);
          answered = Math.max(answered, lastWrite(disk));
        },
      };
      ready = await startPhone({ time, random, storage: noted, relay });
    });
    assert.ok(await time.until(() => ready !== undefined, 1_000));
    await opening;
    assert.ok(ready !== undefined);
    const phone = ready;
    phone.outbox.onReceipts((receipts) => {
      for (const { hash, position } of receipts) told.acknowledged.set(hash, position);
    });
    phone.network.latencyMs = 1 + random.below(200);
    phone.network.onAnswer = () => !random.chance(0.1);
    if (random.chance(0.8)) phone.session.goOnline();
    return phone;
  };
  let phone = await begin();
  for (let step = 0; step < STEPS; step += 1) {
    const dice = random.next();
    if (dice < 0.45) {
      void phone.facts.capture(attendance).then((result) => {
        if (result.ok) told.saved.add(result.value.hash);
        return result;
      });
    } else if (dice < 0.6) await time.advance(random.below(500));
    else if (dice < 0.7) phone.network.cut();
    else if (dice < 0.75) phone.network.silent = !phone.network.silent;
    else if (dice < 0.8) phone.session.goOnline();
    else if (dice < 0.83) phone.session.goOffline();
    else if (dice < 0.88) phone.session.networkChanged();
    else if (dice < 0.92) {
      const fate = random.pick(["fail", "half"] as const);
      disk.onWrite = () => (random.chance(0.5) ? fate : "keep");
      await time.advance(30);
      disk.onWrite = null;
    } else {
      await time.advance(random.below(20));
      life.dead = true;
      phone.kill();
      disk = await afterKill(disk, Math.min(answered, disk.operations.length), random);
      answered = disk.operations.length;
      kills += 1;
      phone = await begin();
    }
  }
  // The signal stays: everything has to arrive now.
  phone.network.silent = false;
  phone.network.onAnswer = null;
  phone.session.goOnline();
  phone.session.networkChanged();
  assert.ok(
    await time.until(() => phone.outbox.owed().size === 0, 300_000),
    `seed ${seed}: ${phone.outbox.owed().size} still owed, ${phone.session.state()}`,
  );
  return { relay, told, kills, phone };
}

/** How many operations the disk had when the last whole write was made. */
function lastWrite({ operations }: SimulatedDisk): number {
  return operations.findLastIndex(({ bytes }) => bytes !== null) + 1;
}

test("through cuts, silence, full disks and kills nothing saved is lost, nothing is doubled, every run keeps its order", async () => {
  let kills = 0;
  let acknowledged = 0;
  let duplicates = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { relay, told, phone, ...counted } = await story(seed);
    kills += counted.kills;
    acknowledged += told.acknowledged.size;
    ({ duplicates } = { duplicates: duplicates + relay.duplicates });
    const log = relay.log.flatMap((event) => event ?? []);
    const position = new Map(relay.log.map((event, at) => [event?.hash ?? "", at]));
    assert.equal(new Set(log.map(({ hash }) => hash)).size, log.length, `seed ${seed}: doubled`);
    for (const hash of told.saved) assert.ok(position.has(hash), `seed ${seed}: saved and lost`);
    for (const [hash, at] of told.acknowledged)
      assert.equal(position.get(hash), at, `seed ${seed}: acknowledged elsewhere`);
    for (const { prev, hash } of log)
      if (prev !== null)
        assert.ok((position.get(prev) ?? Infinity) < (position.get(hash) ?? -1), `seed ${seed}: out of order`);
    const places = log.map(({ run, seq }) => `${run}/${seq}`);
    assert.equal(new Set(places).size, places.length, `seed ${seed}: a number was used twice`);
    assert.equal(relay.holes.size, 0, `seed ${seed}: a hole for something readable`);
    assert.equal(phone.events.all().length, log.length, `seed ${seed}: phone and log hold the same`);
  }
  assert.ok(kills > SEEDS && acknowledged > SEEDS * 10 && duplicates > SEEDS, `${kills} ${acknowledged} ${duplicates}`);
});
