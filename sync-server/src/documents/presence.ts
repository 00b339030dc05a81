import { encodeFrame, limits, type PhoneMessage } from "@sampai/engine/wire";
import type { Connection } from "../relay/part.ts";
import type { DocumentRegistry } from "./registry.ts";
import { inScope } from "./scope.ts";
import type { Viewers } from "./viewers.ts";

type PresenceMessage = Extract<PhoneMessage, { type: "presence" }>;

/** Presence messages that one connection may send in a second; more are dropped, because a newer one says it all. */
const A_SECOND = 20;

/** Who else is here: passed on with the identity that the relay knows, never stored, and dropped where a reader is slow. */
export class Presence {
  private readonly sent = new Map<Connection, { second: number; count: number }>();
  private readonly registry: DocumentRegistry;
  private readonly viewers: Viewers;
  private readonly wallMs: () => number;

  constructor(registry: DocumentRegistry, viewers: Viewers, wallMs: () => number) {
    this.registry = registry;
    this.viewers = viewers;
    this.wallMs = wallMs;
  }

  closed(connection: Connection): void {
    this.sent.delete(connection);
  }

  receive(connection: Connection, message: PresenceMessage): void {
    const { doc, session, count, data } = message;
    const sender = this.viewers.of(connection);
    const row = this.registry.get(doc);
    // A document that was never stored is on its maker's phone alone: nobody else can be there.
    if (sender === undefined || row === undefined) return;
    if (!inScope(sender, row)) return connection.refuse(null, { code: "doc.scope" });
    if (data.length > limits.presenceBytes) return connection.refuse(null, { code: "frame.oversized" });
    if (!this.mayGoOn(connection)) return;
    const frame = encodeFrame({
      type: "present",
      doc,
      device: sender.device,
      by: sender.person,
      role: sender.role,
      session,
      count,
      data,
    });
    for (const [reader, viewer] of this.viewers.entries()) {
      if (reader === connection || !inScope(viewer, row)) continue;
      if (reader.bufferedBytes() < limits.liveQueueBytes) reader.sendFrame(frame);
    }
  }

  private mayGoOn(connection: Connection): boolean {
    const second = Math.floor(this.wallMs() / 1_000);
    const before = this.sent.get(connection);
    const count = before?.second === second ? before.count + 1 : 1;
    this.sent.set(connection, { second, count });
    return count <= A_SECOND;
  }
}
