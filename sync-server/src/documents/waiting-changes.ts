import { limits } from "@sampai/engine/wire";
import type { ChangeHeader } from "./change-header.ts";

/**
 * Changes of one connection that wait for dependencies. They are in no document: what hides behind a dependency that
 * was held back is judged like all else when that has come. Bounded; the oldest make room, and the phone sends them again.
 */
export class WaitingChanges {
  private readonly byDocument = new Map<string, Map<string, ChangeHeader>>();
  private count = 0;
  private bytes = 0;

  /** Takes out what waits for this document. */
  take(doc: string): readonly ChangeHeader[] {
    const waiting = [...(this.byDocument.get(doc)?.values() ?? [])];
    this.byDocument.delete(doc);
    for (const header of waiting) this.forget(header);
    return waiting;
  }

  add(doc: string, headers: readonly ChangeHeader[]): void {
    for (const header of headers) {
      const waiting = this.byDocument.get(doc) ?? new Map<string, ChangeHeader>();
      if (waiting.has(header.hash) || header.bytes.length > limits.waitingBytes) continue;
      // A copy: the header's bytes are a view into the whole push.
      waiting.set(header.hash, { ...header, bytes: header.bytes.slice() });
      this.byDocument.set(doc, waiting);
      this.count += 1;
      this.bytes += header.bytes.length;
      while (this.count > limits.waitingChanges || this.bytes > limits.waitingBytes) this.dropOldest();
    }
  }

  private dropOldest(): void {
    for (const [doc, waiting] of this.byDocument) {
      for (const header of waiting.values()) {
        waiting.delete(header.hash);
        if (waiting.size === 0) this.byDocument.delete(doc);
        this.forget(header);
        return;
      }
    }
  }

  private forget(header: ChangeHeader): void {
    this.count -= 1;
    this.bytes -= header.bytes.length;
  }
}
