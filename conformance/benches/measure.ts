/** A benchmark: our processes, beside a floor or the stock stack of the same run. Figures are of this machine only. */
export interface Bench {
  readonly does: string;
  /** Its parts that can be measured alone; none where it is one measurement. */
  readonly profiles?: readonly string[];
  run(options: BenchOptions): Promise<BenchOutcome>;
}

export interface BenchOptions {
  /** All profiles, however long they take. */
  readonly full: boolean;
  /** One of the bench's own profiles alone; null for all of them. */
  readonly profile: string | null;
  readonly say: (sentence: string) => void;
}

export interface BenchOutcome {
  readonly bench: string;
  readonly ours: unknown;
  /** The stock stack on the same data, or the physical floor; null where there is nothing to compare with. */
  readonly stock: unknown;
  readonly goals: readonly Goal[];
}

export interface Goal {
  readonly name: string;
  readonly goal: string;
  readonly value: string;
  readonly met: boolean;
}

export const atMost = (name: string, value: number, limit: number, unit: string): Goal => ({
  name,
  goal: `≤ ${limit} ${unit}`,
  value: `${round(value)} ${unit}`,
  met: value <= limit,
});

export const atLeast = (name: string, value: number, limit: number, unit: string): Goal => ({
  name,
  goal: `≥ ${limit} ${unit}`,
  value: `${round(value)} ${unit}`,
  met: value >= limit,
});

/** The value below which this share of the sorted values lies; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export const round = (value: number): number =>
  Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100;

/** Milliseconds of the machine's monotonic clock: the same in every process of a bench. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
