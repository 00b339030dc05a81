import type { ChangeHeader } from "../documents/change-header.ts";
import { actorPrefix } from "../documents/gate.ts";
import type { StoredDocuments } from "../documents/stored-documents.ts";

/** Actors that one connection has begun; beyond that it connects again. */
const BEGUN = 10_000;

/**
 * Which actors a stock client may use. It makes them at random, so the actor does not tell the device: an actor is
 * whose first change was stored, and one that begins like another device's own is never his. Else a stranger could take
 * the next number of another's actor, and what that one wrote would be refused.
 */
export class ForeignActors {
  private readonly begun = new Set<string>();
  private readonly device: string;
  private readonly stored: Pick<StoredDocuments, "deviceOfActor" | "devices">;
  private prefixes = new Map<string, string>();

  constructor(device: string, stored: Pick<StoredDocuments, "deviceOfActor" | "devices">) {
    this.device = device;
    this.stored = stored;
  }

  /** MUST be asked only for a change whose number is the actor's next in the document. */
  mayUse(doc: string, { actor, seq }: Pick<ChangeHeader, "actor" | "seq">): boolean {
    const place = `${doc}/${actor}`;
    if (seq > 1) return this.begun.has(place) || this.stored.deviceOfActor(doc, actor) === this.device;
    const owner = this.ownerOf(actor.slice(0, 16));
    if ((owner !== undefined && owner !== this.device) || this.begun.size >= BEGUN) return false;
    this.begun.add(place);
    return true;
  }

  private ownerOf(prefix: string): string | undefined {
    const devices = this.stored.devices();
    if (devices.length !== this.prefixes.size) {
      this.prefixes = new Map(devices.map((device) => [actorPrefix(device), device]));
    }
    return this.prefixes.get(prefix);
  }
}
