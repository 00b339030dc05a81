import type { NeedsYou } from "@sampai/engine";
import { useWords } from "../ui/use-words.ts";

const reasons = {
  "change.field": "field",
  "change.schema": "value",
  "change.time": "clock",
  "doc.scope": "scope",
  "doc.tombstone": "gone",
} as const;

/** Why HQ did not take an edit, in the words of the person who made it; what he cannot help shares one sentence. */
export function useRefusalWords(): (item: Pick<NeedsYou, "code">) => string {
  const { t } = useWords();
  return ({ code }) =>
    t(`sync.notTaken.${Object.hasOwn(reasons, code) ? reasons[code as keyof typeof reasons] : "other"}`);
}
