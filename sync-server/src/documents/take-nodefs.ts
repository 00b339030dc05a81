import * as A from "@automerge/automerge/slim";
import { concatBytes, isDocumentKind, readChunks, type Replica } from "@sampai/engine";
import { limits, type RefusalCode } from "@sampai/engine/wire";
import { documentsOf, type DocumentFolder } from "./host.ts";
import { readNodefsFolder, type NodefsDocument } from "./nodefs-folder.ts";
import { judgePush, type Pusher } from "./push.ts";
import { WaitingChanges } from "./waiting-changes.ts";

export interface TakenDocuments {
  readonly documents: number;
  /** Changes that the relay did not hold before. */
  readonly stored: number;
  /** Documents or changes that the gate did not let through. */
  readonly refused: readonly {
    readonly doc: string;
    readonly change: string | null;
    readonly code: RefusalCode;
    readonly detail?: string;
  }[];
  readonly damaged: readonly { readonly name: string; readonly reason: string }[];
}

/** Brings what others wrote, as HQ: each change is vouched, and its own author's role has to allow it too. */
const BRINGER = { device: "relay", person: "import", role: "hq", territories: ["*"] } as const;

/**
 * Takes the documents of a stock folder through the same gate as every push, change by change. A torn file is told and
 * its sound chunks are taken; whatever the relay holds already stays as it is. Safe to repeat.
 */
export async function takeNodefsFolder(folder: DocumentFolder, from: string): Promise<TakenDocuments> {
  const host = documentsOf(folder);
  const pusher: Pusher = { connection: null, viewer: BRINGER, waiting: new WaitingChanges() };
  const before = host.stored.head();
  const refused: TakenDocuments["refused"][number][] = [];
  const damaged: TakenDocuments["damaged"][number][] = [];
  let documents = 0;
  for await (const found of readNodefsFolder(from)) {
    documents += 1;
    const { doc } = found;
    const replica = loadFiles(found, damaged);
    const kind = String(replica["kind"]);
    const key = String(replica["key"]);
    if (!isDocumentKind(kind)) {
      refused.push({ doc, change: null, code: "doc.unknown-kind" });
      continue;
    }
    for (const bytes of pushesOf(A.getAllChanges(replica))) {
      const { done } = await judgePush({ n: 0, doc, kind, key, bytes }, pusher, host);
      const outcome = await done;
      if ("refusal" in outcome) {
        refused.push({ doc, change: null, ...outcome.refusal });
        break;
      }
      for (const { hash, code, detail } of outcome.pushed.refused) {
        refused.push({ doc, change: hash, code, ...(detail === undefined ? {} : { detail }) });
      }
    }
    A.free(replica);
  }
  return { documents, stored: host.stored.head() - before, refused, damaged };
}

/** The document that the sound chunks make. What stands on a chunk that is missing stays outside. */
function loadFiles(found: NodefsDocument, damaged: { name: string; reason: string }[]): Replica {
  damaged.push(...found.skipped);
  let replica: Replica = A.init<Record<string, unknown>>();
  for (const { name, bytes } of found.files) {
    const { chunks, damage } = readChunks(bytes);
    if (damage !== null) damaged.push({ name, reason: `${damage.reason} at byte ${damage.offset}` });
    for (const chunk of chunks) {
      try {
        if (chunk.type === "change") replica = A.applyChanges(replica, [chunk.bytes])[0];
        else replica = A.merge(replica, A.load<Record<string, unknown>>(chunk.bytes));
      } catch (error) {
        damaged.push({ name, reason: String(error).slice(0, 120) });
      }
    }
  }
  const missing = A.getMissingDeps(replica, []);
  if (missing.length > 0) damaged.push({ name: found.doc, reason: `${missing.length} changes are missing` });
  return replica;
}

/** Changes in an order in which each stands behind its dependencies, as many together as one push may hold. */
function* pushesOf(changes: readonly Uint8Array[]): Generator<Uint8Array> {
  let together: Uint8Array[] = [];
  let bytes = 0;
  for (const change of changes) {
    if (together.length > 0 && bytes + change.length > limits.pushBytes) {
      yield concatBytes(...together);
      together = [];
      bytes = 0;
    }
    together.push(change);
    bytes += change.length;
  }
  if (together.length > 0) yield concatBytes(...together);
}
