import type { Connection } from "../relay/part.ts";
import type { Viewer } from "./scope.ts";
import type { StoredDocuments } from "./stored-documents.ts";

/** A connected person: what he may see follows the relay's list of people while he is connected. */
interface ConnectedViewer extends Viewer {
  territories: readonly string[];
}

/** Who is connected now, with the territories that hold now. */
export class Viewers {
  private readonly connected = new Map<Connection, ConnectedViewer>();
  private readonly stored: Pick<StoredDocuments, "territoriesOf">;
  private readonly onMoved: (viewer: Viewer) => void;

  constructor(stored: Pick<StoredDocuments, "territoriesOf">, onMoved: (viewer: Viewer) => void) {
    this.stored = stored;
    this.onMoved = onMoved;
  }

  opened(connection: Connection): Viewer {
    const { device, person, role, territories } = connection.caller;
    const viewer: ConnectedViewer = { device, person, role, territories };
    this.connected.set(connection, viewer);
    this.onMoved(viewer);
    return viewer;
  }

  closed(connection: Connection): void {
    this.connected.delete(connection);
  }

  of(connection: Connection): Viewer | undefined {
    return this.connected.get(connection);
  }

  entries(): Iterable<[Connection, Viewer]> {
    return this.connected;
  }

  /** Reads everybody's territories again, after HQ may have changed them. */
  refresh(): void {
    for (const viewer of this.connected.values()) {
      const territories = this.stored.territoriesOf(viewer.person);
      if (territories === undefined || same(territories, viewer.territories)) continue;
      viewer.territories = territories;
      this.onMoved(viewer);
    }
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((territory) => b.includes(territory));
