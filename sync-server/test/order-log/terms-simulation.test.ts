import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import type { Claim } from "@sampai/engine/wire";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { appendBatch } from "../../src/order-log/append-batch.ts";
import { takeClaim } from "../../src/order-log/claim.ts";
import type { Evidence } from "../../src/order-log/evidence.ts";
import { openLife, startLife, type OutsideHead } from "../../src/order-log/life.ts";
import type { LogTransaction } from "../../src/order-log/log-transaction.ts";
import { termReport } from "../../src/order-log/lost.ts";
import { seeded } from "../../../engine/test/seeded.ts";
import { restorableLogs, type RestorableLog } from "./restorable-logs.ts";

const folder = mkdtempSync(path.join(tmpdir(), "sampai-terms-simulation-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const DEVICES = ["d1", "d2", "d3"];

interface Receipt {
  readonly term: string;
  readonly position: number;
}
interface Phone {
  readonly device: string;
  readonly events: PlacedCandidate[];
  readonly receipts: Map<string, Receipt>;
  /** The highest promise, and the highest checkpoint, of each term. */
  readonly promises: Map<string, Evidence>;
  readonly checkpoints: Map<string, Evidence>;
  run: string;
  alive: boolean;
}

/** A relay whose log is backed up, restored and started again, with the file beside it. */
class Relay {
  readonly log: RestorableLog;
  start = "";
  outside: OutsideHead | null = null;

  constructor(log: RestorableLog) {
    this.log = log;
  }

  begin(nonce: string): void {
    this.start = nonce;
    this.commit((log) => {
      openLife(log, nonce, this.outside);
      startLife(log, nonce);
    });
  }

  /** A commit, and what is written outside behind it. */
  commit<T>(run: (log: LogTransaction) => T): T {
    return this.log.commit((log) => {
      const answer = run(log);
      const { term, terms } = log;
      const promise = { kind: "promise", term, size: log.head(), start: this.start } as const;
      this.outside = { known: [...terms.knownSizes()], began: [...terms.beginnings()], promise };
      return answer;
    });
  }

  /** What is known of the log without writing to it. */
  look<T>(at: (log: LogTransaction) => T): T {
    return this.log.commit(at);
  }
}

function simulate(open: (folder: string) => RestorableLog, seed: number, headFile: "always" | "sometimes"): void {
  const random = seeded(seed);
  const hex = () => Array.from({ length: 16 }, () => random.below(16).toString(16)).join("");
  const relay = new Relay(open(folder));
  relay.begin(hex());
  for (const device of DEVICES) relay.log.enrol(device);
  const phones: Phone[] = DEVICES.map((device) => ({
    device,
    events: [],
    receipts: new Map(),
    promises: new Map(),
    checkpoints: new Map(),
    run: hex(),
    alive: true,
  }));
  const backups: (() => void)[] = [];
  const acknowledged: { hash: string; receipt: Receipt }[] = [];

  const capture = (phone: Phone) => {
    const last = phone.events.at(-1);
    const seq = last !== undefined && last.run === phone.run ? last.seq + 1 : 1;
    const bytes = utf8ToBytes(`${phone.device} ${phone.run} ${seq}`);
    phone.events.push({ run: phone.run, seq, prev: last?.hash ?? null, hash: sha256Hex(bytes), bytes });
  };

  /** A claim, its losses, and what the relay's tips do not cover; `lost` answers do not reach the phone. */
  const contact = (phone: Phone, lost: boolean) => {
    if (!phone.alive) return;
    const tips = phone.events.slice(-1).map(({ run, seq, hash }) => ({ run, seq, hash }));
    const evidence = [...phone.promises.values(), ...phone.checkpoints.values()];
    const claim = (voided: NonNullable<Claim["voided"]>) =>
      relay.commit((log) => takeClaim(log, { device: phone.device, tips, voided, evidence, nonce: hex() }));
    let answer = claim([]);
    const byHash = new Map(phone.events.map((event) => [event.hash, event]));
    const covered = new Set<string>();
    for (const tip of answer.tips) {
      for (let event = byHash.get(tip.hash); event !== undefined; event = byHash.get(event.prev ?? "")) {
        covered.add(event.hash);
      }
    }
    const ends = new Map(answer.terms.map(({ term, end }) => [term, end ?? Infinity]));
    const voided = [...phone.receipts].filter(
      ([hash, { term, position }]) => term !== answer.term && (!covered.has(hash) || position >= (ends.get(term) ?? 0)),
    );
    if (voided.length > 0) {
      const byTerm = Map.groupBy(voided, ([, { term }]) => term);
      answer = claim(
        [...byTerm].map(([term, list]) => ({
          term,
          events: list.map(([hash, { position }]): [number, string] => [position, hash]),
        })),
      );
      for (const [hash] of voided) phone.receipts.delete(hash);
    }
    const offered = phone.events.filter(({ hash }) => !covered.has(hash) || !phone.receipts.has(hash));
    for (const [, batch] of Map.groupBy(offered, ({ run }) => run)) {
      const appended = relay.commit((log) =>
        appendBatch(log, { device: phone.device, events: batch, via: "websocket" }),
      );
      assert.ok("answers" in appended);
      if (lost) return;
      for (const one of appended.answers) {
        if (one.answer !== "placed" && one.answer !== "duplicate") continue;
        const receipt = { term: one.term ?? appended.term, position: one.position };
        phone.receipts.set(one.hash, receipt);
        acknowledged.push({ hash: one.hash, receipt });
      }
      const { term } = appended;
      const { size, tree } = relay.look((log) => ({ size: log.head(), tree: log.terms.newestTree() }));
      keepHigher(phone.promises, { kind: "promise", term, start: relay.start, size });
      if (tree !== undefined) keepHigher(phone.checkpoints, { kind: "checkpoint", term, ...tree });
    }
  };

  for (let step = 0; step < 70; step += 1) {
    const phone = phones[random.below(phones.length)] as Phone;
    const dice = random.below(100);
    if (dice < 30) capture(phone);
    else if (dice < 70) contact(phone, random.below(6) === 0);
    else if (dice < 78) phone.run = hex();
    else if (dice < 81) relay.log.keepTree();
    else if (dice < 84) relay.begin(hex());
    else if (dice < 91) {
      backups.push(relay.log.backUp());
    } else if (dice < 98 && backups.length > 0) {
      if (headFile === "sometimes" && random.below(2) === 0) relay.outside = null;
      random.pick(backups)();
      relay.begin(hex());
      for (const device of DEVICES) relay.log.enrol(device);
    } else if (dice >= 98 && phones.filter(({ alive }) => alive).length > 1) phone.alive = false;
  }
  for (let round = 0; round < 3; round += 1) for (const phone of phones) contact(phone, false);

  const at = new Map<string, number>();
  for (const [index, row] of relay.log.leaves().entries()) {
    assert.equal(row.position, index, "a gap in the positions");
    if (row.type !== "event") continue;
    assert.ok(!at.has(row.hash), "an event is there twice");
    assert.ok(row.prev === null || at.has(row.prev), "an event stands before the one it follows");
    at.set(row.hash, index);
  }
  const { lost } = relay.look((log) => termReport(log.terms));
  const currentTerm = relay.look((log) => log.term);
  for (const phone of phones.filter(({ alive }) => alive)) {
    for (const { hash } of phone.events) assert.ok(at.has(hash), "an event that a phone holds is not in the log");
    for (const [hash, { term, position }] of phone.receipts) {
      // Without the head file a copy goes on in its old term until a phone proves it old: what it acknowledged until then
      // proves the promise for ever, but not the place.
      if (headFile === "sometimes" && term !== currentTerm) continue;
      assert.equal(at.get(hash), position, "a receipt names another place");
    }
  }
  for (const { hash, receipt } of acknowledged) {
    if (at.has(hash) || headFile !== "always") continue;
    const range = lost.find(({ term }) => term === receipt.term);
    const listed = range?.missing.some(({ position, state }) => position === receipt.position && state !== "back");
    assert.ok(listed, `${receipt.term} ${receipt.position} was acknowledged, is gone and is not listed`);
  }
  relay.log.close();
}

/** Keeps the evidence of a term that speaks of the longest log. */
function keepHigher(kept: Map<string, Evidence>, evidence: Evidence): void {
  if (evidence.size > (kept.get(evidence.term)?.size ?? 0)) kept.set(evidence.term, evidence);
}

for (const [where, open] of restorableLogs) {
  for (const headFile of ["always", "sometimes"] as const) {
    test(`${where}, over restarts and restores, with the head file ${headFile === "always" ? "always" : "only sometimes"} there, nothing that a phone holds is lost, doubled or misplaced${headFile === "always" ? ", and what nobody holds is listed" : ""}`, () => {
      for (let seed = 1; seed <= 60; seed += 1) {
        try {
          simulate(open, seed, headFile);
        } catch (error) {
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
        }
      }
    });
  }
}
