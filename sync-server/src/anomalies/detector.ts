import type { Consequence, EventKindName } from "@sampai/engine";
import type { Observation } from "./observation.ts";

/**
 * PORT. One question about one subject's history. A detector sees the observations of a subject in capture order,
 * whatever order they arrived in, each once: when something turns up late, the history is read again from there. So it
 * MUST be pure, and what it keeps MUST be plain JSON.
 *
 * A bad observation MUST NOT move the state that later ones are judged by: one lie would make the next truth look false.
 */
export interface Detector<State = unknown, Evidence = unknown> {
  /** Stands in findings, in the pack's table of consequences and on screens. */
  readonly name: string;
  /** Raised when its findings would differ for the same history. */
  readonly version: number;
  /** Whose history it reads. `event` has none; `boot` is one device between two starts; `picture` is all photos with the same bytes. */
  readonly subject: Subject;
  /** The kinds of facts that it is shown; all observations where nothing is said. Its state is not even read for others. */
  readonly facts?: readonly EventKindName[];
  /** What a finding does where the pack does not say: only what cannot be true is held. */
  readonly consequence: Consequence;
  start(): State;
  step(state: State, seen: Observation, context: DetectorContext): Step<State, Evidence>;
  /** The finding in words for a person. */
  sentence(evidence: Evidence): string;
}

export type Subject = "event" | "boot" | "picture" | "rep" | "store";

export interface DetectorContext {
  /** The workspace's IANA zone, in which days are cut. */
  readonly zone: string;
}

export interface Step<State, Evidence> {
  readonly state: State;
  readonly findings?: readonly Found<Evidence>[];
  /** Hashes of events whose finding of this detector no longer stands. */
  readonly withdraw?: readonly string[];
}

export interface Found<Evidence> {
  /** The event it is about: mostly the one seen now, at times an earlier one that only now looks wrong. */
  readonly event: { readonly hash: string; readonly id: string };
  readonly evidence: Evidence;
  /** Overrides the detector's own consequence for this finding. */
  readonly consequence?: Consequence;
}

/** Keeps the types of a detector's state and evidence together; outside they are opaque JSON. */
export function defineDetector<State, Evidence>(detector: Detector<State, Evidence>): Detector {
  return detector;
}
