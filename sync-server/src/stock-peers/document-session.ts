import { concatBytes } from "@sampai/engine";
import { limits, type Refusal } from "@sampai/engine/wire";
import { readChunks } from "../documents/change-header.ts";
import type { DocumentHost } from "../documents/host.ts";
import { judgePush, type Pusher } from "../documents/push.ts";
import type { DocumentRow } from "../documents/stored-documents.ts";
import type { ChangeGraph } from "./change-graph.ts";
import type { SyncMessage } from "./sync-message.ts";

/** Refused hashes that are remembered for one document of one connection; beyond that it is not listened to. */
const REFUSED = 10_000;

/**
 * One document on one connection of a stock client. What it sends passes the same gate as a phone's push; what it is told
 * is made from stored changes alone, so that the heads it reads in our messages are on disk.
 */
export class DocumentSession {
  private theirHeads: readonly string[] = [];
  private theirNeed: readonly string[] = [];
  /** Heads through which everything was sent to it: the websocket loses nothing while it lives. */
  private sent: readonly string[] = [];
  private told: string | null = null;
  private missing: readonly string[] = [];
  private readonly refused = new Set<string>();

  /** Takes a message's changes through the gate. The refusal is one after which the connection cannot go on. */
  async take(row: DocumentRow, message: SyncMessage, pusher: Pusher, host: DocumentHost): Promise<Refusal | null> {
    this.theirHeads = message.heads;
    this.theirNeed = message.need;
    // It says that it was never in agreement with anybody: it may have lost what it was sent.
    if (message.heads.length === 0) {
      this.sent = [];
      this.told = null;
    }
    if (message.changes.length === 0) return null;
    const read = readChunks(concatBytes(...message.changes));
    if (!read.ok) return read.error;
    for (const { hash } of read.value.refused) this.refuse(hash);
    let piece: Uint8Array[] = [];
    const pieces = [piece];
    let bytes = 0;
    for (const chunk of read.value.chunks) {
      if (chunk.type === "document") return { code: "change.malformed", detail: "a whole document is not taken" };
      const { hash, deps, bytes: change } = chunk.header;
      if (this.refused.has(hash) || deps.some((dep) => this.refused.has(dep))) {
        this.refuse(hash);
        continue;
      }
      if (bytes + change.length > limits.pushBytes) {
        piece = [];
        bytes = 0;
        pieces.push(piece);
      }
      piece.push(change);
      bytes += change.length;
    }
    for (const changes of pieces) {
      if (changes.length === 0) continue;
      const { doc, kind, key } = row;
      const { done } = await judgePush({ n: 0, doc, kind, key, bytes: concatBytes(...changes) }, pusher, host);
      const outcome = await done;
      if ("refusal" in outcome) return outcome.refusal;
      for (const { hash } of outcome.pushed.refused) this.refuse(hash);
      this.missing = outcome.pushed.missing;
    }
    return null;
  }

  /**
   * The next message for the client; null where it knows all that there is to say. While it holds what was refused it is
   * told of others' changes and asked for nothing: an answer would make it send the same again without an end.
   */
  next(row: DocumentRow, graph: () => ChangeGraph): { message: SyncMessage; positions: readonly number[] } | null {
    const { heads } = row;
    const holdsRefused = this.theirHeads.some((head) => this.refused.has(head));
    // Nothing changed on either side: answered from the index.
    const agreed = same(this.theirHeads, heads) && this.theirNeed.length === 0;
    const has = (hash: string) => (agreed ? heads.includes(hash) : graph().has(hash));
    const shared = [...new Set([...this.theirHeads.filter(has), ...this.sent.filter(has)])];
    const wanted = [...this.missing, ...this.theirHeads].filter((hash) => !has(hash) && !this.refused.has(hash));
    const need = holdsRefused ? [] : [...new Set(wanted)].sort();
    const positions = new Set(agreed ? [] : graph().since(shared));
    if (!agreed) for (const hash of this.theirNeed) positions.add(graph().positionOf(hash) ?? -1);
    positions.delete(-1);
    const telling = `${[...heads].sort().join()}|${need.join()}`;
    if (positions.size === 0 && telling === this.told) return null;
    this.told = telling;
    this.sent = heads;
    this.theirNeed = [];
    return {
      message: { heads, need, lastSync: shared, changes: [] },
      positions: [...positions].sort((a, b) => a - b),
    };
  }

  private refuse(hash: string): void {
    if (this.refused.size < REFUSED) this.refused.add(hash);
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((head) => b.includes(head));
