import { concatBytes } from "@sampai/engine";
import type { PhoneMessage, Refusal, RelayMessage } from "@sampai/engine/wire";
import type { FeedItems } from "./feed-items.ts";
import type { OpenDocuments } from "./open-documents.ts";
import type { DocumentRegistry } from "./registry.ts";
import { inScope, type Viewer } from "./scope.ts";
import type { StoredDocuments } from "./stored-documents.ts";

type HeadsMessage = Extract<PhoneMessage, { type: "heads" }>;
type RepairMessage = Extract<RelayMessage, { type: "repair" }>;

export interface RepairDeps {
  readonly registry: DocumentRegistry;
  readonly stored: StoredDocuments;
  readonly open: OpenDocuments;
  readonly items: FeedItems;
}

/**
 * Answers a phone that doubts its copy: what it lacks behind the heads that both know, or the whole document where they
 * share none, and the heads that the relay has never seen.
 */
export async function repair(
  message: HeadsMessage,
  viewer: Viewer,
  deps: RepairDeps,
): Promise<{ readonly repair: Omit<RepairMessage, "type" | "n"> } | { readonly refusal: Refusal }> {
  const { doc, heads } = message;
  const row = deps.registry.get(doc);
  if (row === undefined) return { refusal: { code: "doc.unknown" } };
  if (row.tombstone !== null) return { refusal: { code: "doc.tombstone" } };
  if (!inScope(viewer, row)) return { refusal: { code: "doc.scope" } };
  const whole = (missing: string[]) => {
    const item = deps.items.whole(row);
    if (item === undefined) return { refusal: { code: "doc.damaged" } satisfies Refusal };
    return { repair: { doc, bytes: item.bytes, snapshot: true, heads: [...row.heads], missing } };
  };
  const opened = await deps.open.open(row);
  if (!opened.ok) return { refusal: opened.error };
  const missing = heads.filter((head) => !opened.value.has(head));
  const shared = heads.filter((head) => opened.value.has(head));
  if (shared.length === 0) return whole(missing);
  const lacking = opened.value.since(shared);
  if (lacking.length > opened.value.size / 2) return whole(missing);
  // What is in memory and not yet committed comes as a live change.
  const bytes = lacking.flatMap((hash) => deps.stored.bytesOf(doc, hash) ?? []);
  return { repair: { doc, bytes: concatBytes(...bytes), snapshot: false, heads: [...row.heads], missing } };
}
