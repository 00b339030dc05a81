import type { z } from "zod";

/** One kind of event: its versioned name, the shape of its body, its label for people, and a golden sample. */
export interface EventKind<S extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly label: { readonly en: string; readonly ms: string };
  readonly body: S;
  /** A body as the field sends it: tests, forms and documentation use it. */
  readonly golden: z.infer<S>;
  /** Whether it belongs to a visit: then the envelope names visit and store. */
  readonly inVisit: boolean;
}

export function defineKind<S extends z.ZodType>(kind: EventKind<S>): EventKind<S> {
  return kind;
}
