import * as A from "@automerge/automerge/slim";
import { readChunks, readEdits, type DocumentKind, type WrittenField } from "@sampai/engine";
import type { SimulatedPhone } from "./phone.ts";

/** One field that somebody wrote: what must be found again, at the relay or among what needs its author. */
export interface Authored {
  readonly phone: SimulatedPhone;
  readonly doc: string;
  readonly kind: DocumentKind;
  readonly key: string;
  /** RFC 3339 UTC, by the author's clock. No phone writes the same field twice at the same time. */
  readonly at: string;
  readonly written: WrittenField;
}

/** Names what was written, the same for a change and for its replay under another actor. */
export function authoredName(doc: string, device: string, at: string, written: WrittenField): string {
  return [doc, device, at, written.field, written.row ?? "", written.does].join("|");
}

/** Of several writes of one place in one change the last: so a conflict is settled with a value that stands in it. */
export function lastWritten(all: readonly WrittenField[]): readonly WrittenField[] {
  return [...new Map(all.map((written) => [`${written.field}|${written.row ?? ""}`, written])).values()];
}

/** Everything that was authored and durable, read from what the phones hold unsent: no promise of the engine is believed. */
export class AuthoredEdits {
  readonly all = new Map<string, Authored>();
  private readonly seen = new Set<string>();

  /** Notes what this phone holds unsent. MUST be called before any of it can have been answered. */
  note(phone: SimulatedPhone): void {
    for (const doc of phone.documents.dirty()) {
      const named = phone.documents.identify(doc);
      if (named === undefined) continue;
      for (const unsent of phone.documents.unsent(doc)) {
        for (const { bytes, hash } of readChunks(unsent.bytes).chunks) {
          if (hash === null || this.seen.has(hash)) continue;
          this.seen.add(hash);
          const change = A.decodeChange(bytes);
          if (change.message === null || change.message === "") continue;
          const read = readEdits(named.kind, change);
          if (!read.ok) continue;
          const at = new Date(change.time).toISOString();
          for (const written of lastWritten(read.value)) {
            const name = authoredName(doc, phone.setting.device, at, written);
            // A replay of what was noted before is the same edit.
            if (!this.all.has(name)) this.all.set(name, { phone, doc, kind: named.kind, key: named.key, at, written });
          }
        }
      }
    }
  }
}
