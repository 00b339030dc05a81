/** What one seed came to. A history that breaks a rule is told by its sentence, never thrown away. */
export interface SeedReport {
  /** The broken rule, or null where all held. */
  readonly failure: string | null;
  /** Counts, added up over all seeds. */
  readonly figures: Readonly<Record<string, number>>;
}

/** One kind of random history. The same seed MUST give the same history. */
export interface Suite {
  readonly name: string;
  readonly does: string;
  run(seed: number): Promise<SeedReport>;
}
