import { createHash } from "node:crypto";
import type { HqClient } from "../src/hq-client.ts";
import type { PhoneProcess } from "../src/phone-process.ts";
import type { Stop } from "./rep-day.ts";

/** A fact as the phone that captured it tells it. */
export interface Fact {
  readonly hash: string;
  readonly envelope: {
    readonly id: string;
    readonly kind: string;
    readonly run: string;
    readonly seq: number;
    readonly body: Record<string, unknown>;
  };
}

/** A row of the order log, as `sampai log export` writes it. */
export interface LedgerRow {
  readonly position: number;
  readonly type: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
}

/** Counts what the log holds of what was captured: each once, and each run in its own order. */
export function compareLedger(captured: readonly Fact[], ledger: readonly LedgerRow[]) {
  const rows = new Map<string, LedgerRow[]>();
  for (const row of ledger) rows.set(row.hash, [...(rows.get(row.hash) ?? []), row]);
  const placed = captured.filter(({ hash }) => rows.has(hash));
  const doubled = captured.filter(({ hash }) => (rows.get(hash)?.length ?? 0) > 1).length;
  let misordered = 0;
  const last = new Map<string, number>();
  for (const row of ledger) {
    if (row.seq !== (last.get(row.run) ?? 0) + 1) misordered += 1;
    last.set(row.run, row.seq);
  }
  return { acknowledged: placed.length, lost: captured.length - placed.length, doubled, misordered };
}

/** Photos whose bytes at headquarters have the hash that their fact promised. */
export async function countVerifiedPhotos(hq: HqClient, captured: readonly Fact[]): Promise<number> {
  let verified = 0;
  for (const { envelope } of captured) {
    if (envelope.kind !== "photo.captured.v1") continue;
    const bytes = await hq.bytes(`/v1/photos/${envelope.id}`);
    if (createHash("sha256").update(bytes).digest("hex") === envelope.body["sha256"]) verified += 1;
  }
  return verified;
}

/** Whether both devices hold the same bytes and see the same values of these stores. */
export async function converged(a: PhoneProcess, b: PhoneProcess, stops: readonly Stop[]): Promise<boolean> {
  for (const { store } of stops) {
    const [left, right] = await Promise.all([a, b].map((device) => device.ask("view", { kind: "store", key: store })));
    const same = ["heads", "value"].every(
      (part) =>
        JSON.stringify((left as Record<string, unknown>)[part]) ===
        JSON.stringify((right as Record<string, unknown>)[part]),
    );
    if (!same) return false;
  }
  return true;
}

/** Facts that came to the relay more than once and stand in the log once, as the trail tells it. */
export async function countDuplicates(hq: HqClient, captured: readonly Fact[]): Promise<number> {
  let count = 0;
  for (const { envelope } of captured) {
    const { steps } = (await hq.json(`/v1/trail/${envelope.id}`)) as { steps: { what: string }[] };
    if (steps.some(({ what }) => what === "duplicate")) count += 1;
  }
  return count;
}
