import { documentId, isDocumentKind } from "@sampai/engine";
import type { PhoneMessage } from "@sampai/engine/wire";
import { z } from "zod";
import type { Connection, RelayPart } from "../relay/part.ts";
import type { Route } from "../route.ts";
import { documentsOf, type DocumentFolder } from "./host.ts";
import { Presence } from "./presence.ts";
import { judgePush, type Pusher } from "./push.ts";
import { PushAssembly } from "./push-assembly.ts";
import { repair } from "./repair.ts";
import { WaitingChanges } from "./waiting-changes.ts";

/** What one connection keeps between its messages. */
interface Desk {
  readonly assembly: PushAssembly;
  readonly pusher: Pusher;
}

/** Documents on the websocket: push, feed, fed, heads and presence. */
export function part(context: DocumentFolder): RelayPart {
  const host = documentsOf(context);
  const presence = new Presence(host.registry, host.viewers, host.wallMs);
  const desks = new Map<Connection, Desk>();

  const opened = (connection: Connection) => {
    const viewer = host.viewers.opened(connection);
    desks.set(connection, {
      assembly: new PushAssembly(),
      pusher: { connection, viewer, waiting: new WaitingChanges() },
    });
  };

  const closed = (connection: Connection) => {
    desks.delete(connection);
    host.feed.end(connection);
    presence.closed(connection);
    host.viewers.closed(connection);
  };

  const push = async (connection: Connection, desk: Desk, message: Extract<PhoneMessage, { type: "push" }>) => {
    const { n } = message;
    const whole = desk.assembly.take(message);
    if (!whole.ok) return connection.refuse(n, whole.error);
    if (whole.value === null) return;
    const { done } = await judgePush(whole.value, desk.pusher, host);
    // The next message is taken now that this push is with the writer, so that commits are shared.
    done.then(
      (outcome) => {
        if ("refusal" in outcome) connection.refuse(n, outcome.refusal);
        else connection.send({ type: "pushed", n, ...outcome.pushed });
      },
      (error: unknown) => {
        context.log.error({ device: connection.caller.device, error: String(error) }, "a push could not be stored");
        connection.refuse(n, { code: "relay.busy" });
      },
    );
  };

  const receive = async (connection: Connection, message: PhoneMessage) => {
    const desk = desks.get(connection);
    if (desk === undefined) return;
    switch (message.type) {
      case "push":
        return push(connection, desk, message);
      case "feed":
        return host.feed.start(connection, desk.pusher.viewer, message);
      case "fed":
        return host.feed.fed(connection, message.cursor);
      case "presence":
        return presence.receive(connection, message);
      case "heads": {
        const answer = await repair(message, desk.pusher.viewer, host);
        if ("refusal" in answer) connection.refuse(message.n, answer.refusal);
        else connection.send({ type: "repair", n: message.n, ...answer.repair });
        return;
      }
      case "claim":
      case "append":
      case "hole":
        return;
    }
  };
  return { name: "documents", handles: ["push", "feed", "fed", "heads", "presence"], opened, closed, receive };
}

const burySchema = z.strictObject({
  kind: z.string().max(40),
  key: z.string().min(1).max(200),
  reason: z.string().max(500).default(""),
});

export function routes(context: DocumentFolder): Route[] {
  const host = documentsOf(context);
  return [
    {
      method: "POST",
      path: "/v1/operator/documents/bury",
      access: "operator",
      does: "Deletes a document for everybody: it leaves every phone, and takes no more edits.",
      handle: async (c) => {
        const request = burySchema.safeParse(await c.req.json().catch(() => undefined));
        if (!request.success) return { code: "request.malformed", detail: "kind, key, reason" };
        const { kind, key, reason } = request.data;
        if (!isDocumentKind(kind)) return { code: "doc.unknown-kind", detail: kind };
        const row = host.registry.get(documentId(host.workspace, kind, key));
        if (row === undefined) return { code: "doc.unknown", detail: `${kind} ${key}` };
        if (!(await host.bury(row, "operator", reason))) return { code: "doc.tombstone" };
        return c.json({ kind, key, buried: true });
      },
    },
  ];
}

export function start(context: DocumentFolder): Promise<() => Promise<void>> {
  const host = documentsOf(context);
  return Promise.resolve(() => host.stop());
}
