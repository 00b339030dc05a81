import type { Connection } from "./part.ts";

/** The connections that are open now: at most one for each device. */
export interface Hub {
  /** In no particular order. */
  connections(): Iterable<Connection>;
  of(device: string): Connection | undefined;
  /** Sends one encoded frame to every connection that `wanted` says yes to. */
  send(frame: Uint8Array, wanted: (connection: Connection) => boolean): void;
  /** Called after a connection came or went. The answer stops it. */
  onChange(listener: () => void): () => void;
}

export interface OpenHub extends Hub {
  /** A second connection of the same device takes the place of the first: the phone knows best which one is alive. */
  add(connection: Connection): void;
  remove(connection: Connection): void;
}

export const REPLACED = 4409;

export function createHub(): OpenHub {
  const byDevice = new Map<string, Connection>();
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  return {
    connections: () => byDevice.values(),
    of: (device) => byDevice.get(device),
    send: (frame, wanted) => {
      for (const connection of byDevice.values()) if (wanted(connection)) connection.sendFrame(frame);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add: (connection) => {
      const before = byDevice.get(connection.caller.device);
      byDevice.set(connection.caller.device, connection);
      before?.close(REPLACED, "replaced by a newer connection");
      changed();
    },
    remove: (connection) => {
      if (byDevice.get(connection.caller.device) === connection) byDevice.delete(connection.caller.device);
      changed();
    },
  };
}
