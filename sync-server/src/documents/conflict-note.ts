import * as A from "@automerge/automerge/slim";
import {
  containerOf,
  decide,
  ruleOf,
  type Candidate,
  type ReadingRules,
  type Scalar,
  type WrittenField,
} from "@sampai/engine";
import type { TrailNote } from "../trail/trail.ts";
import type { OpenDocument } from "./open-document.ts";

/** Characters of a value that the trail keeps: enough to recognise it. */
const VALUE_LENGTH = 200;

/**
 * The trail's row for a conflict that this change has made: both values, authors, times, rule and reason. Null where
 * nobody disagreed, or where the disagreement is older than the change.
 */
export function conflictNote(
  open: OpenDocument,
  edit: WrittenField,
  change: { readonly hash: string; readonly device: string },
  readRules: () => ReadingRules,
): TrailNote | null {
  if (edit.does !== "set") return null;
  // Nearly every edit stands alone: asked first, because reading the candidates' authors costs more.
  const container = containerOf(open.replica, edit.field, edit.row !== null);
  const standing = container === null ? [] : A.getBackend(open.replica).getAll(container, edit.row ?? edit.field);
  if (standing.length < 2) return null;
  const rules = readRules();
  const decision = decide(open.replica, open.kind, edit.field, edit.row, rules);
  if (decision === null || decision === "merged" || decision.losers.length === 0) return null;
  const { winner, losers, reason } = decision;
  if (![winner, ...losers].some((candidate) => candidate.change === change.hash)) return null;
  return {
    topic: "document.conflict",
    device: change.device,
    item: open.doc,
    detail: {
      kind: open.kind,
      key: open.key,
      field: edit.field,
      row: edit.row,
      rule: ruleOf(open.kind, edit.field, rules),
      reason: reason.en,
      open: decision.open,
      winner: told(winner),
      losers: losers.map(told),
    },
  };
}

function told({ value, by, name, role, device, at, change }: Candidate) {
  return { value: shortened(value), by, name, role, device, at, change };
}

function shortened(value: Scalar): Scalar {
  if (typeof value !== "string" || value.length <= VALUE_LENGTH) return value;
  return `${value.slice(0, VALUE_LENGTH)}…`;
}
