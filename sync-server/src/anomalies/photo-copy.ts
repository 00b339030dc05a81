import { utcFromMs } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";

interface State {
  readonly first: {
    readonly id: string;
    readonly visit: string | null;
    readonly store: string | null;
    readonly rep: string;
    readonly ms: number;
  } | null;
}

interface Evidence {
  readonly photo: string;
  readonly store: string | null;
  readonly rep: string;
  readonly at: string;
}

/** The very same file once more, in another visit. No camera writes the same bytes twice. */
export const photoCopy = defineDetector<State, Evidence>({
  name: "photo-copy",
  version: 1,
  subject: "picture",
  consequence: "hold-proof",
  start: () => ({ first: null }),
  step: ({ first }, seen) => {
    const { id, visit, store, rep, ms } = seen;
    if (first === null) return { state: { first: { id, visit, store, rep, ms } } };
    if (first.visit === visit) return { state: { first } };
    const evidence = { photo: first.id, store: first.store, rep: first.rep, at: utcFromMs(first.ms) };
    return { state: { first }, findings: [{ event: seen, evidence }] };
  },
  sentence: ({ photo, store, rep, at }) =>
    `The same file as photo ${photo}, which ${rep} took${store === null ? "" : ` at ${store}`} on ${at.slice(0, 10)}.`,
});
