/** A fault story: told in sentences as it goes, with figures and a verdict at its end. */
export interface Drill {
  readonly does: string;
  /** How often the fault strikes when nobody says otherwise. */
  readonly times: number;
  run(options: DrillOptions): Promise<DrillOutcome>;
}

export interface DrillOptions {
  readonly times: number;
  readonly seed: number;
  readonly say: (sentence: string) => void;
}

export interface DrillOutcome extends Readonly<Record<string, unknown>> {
  readonly drill: string;
  readonly ok: boolean;
}

/** "1 kill", "2 kills". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
