import * as A from "@automerge/automerge/slim";
import {
  assert,
  authorMessage,
  concatBytes,
  containerOf,
  decide,
  documentId,
  documentKinds,
  goesBack,
  originOf,
  upgradeReplica,
  type DocumentKind,
  type FieldDefinition,
  type ReadingRules,
  type Replica,
  type Scalar,
} from "@sampai/engine";
import { randomBytes } from "node:crypto";
import { actorPrefix } from "./gate.ts";
import { documentsOf, type DocumentFolder, type DocumentHost } from "./host.ts";
import { judgePush, type Pusher } from "./push.ts";
import { WaitingChanges } from "./waiting-changes.ts";

/** A document as HQ's files have it: every value that they name, by field or `field/row`. */
export interface PutDocument {
  readonly kind: DocumentKind;
  readonly key: string;
  readonly values: Readonly<Record<string, Scalar>>;
}

export interface PutCounts {
  /** Documents that nobody had made before. */
  readonly created: number;
  /** Documents in which a value was written. */
  readonly changed: number;
  readonly unchanged: number;
}

/** The importer writes as HQ, from a device that is the relay itself: no phone can enrol under this name. */
const IMPORTER = { by: "import", role: "hq", device: "relay" } as const;
/** Pushes that are judged before their commits are waited for. */
const TOGETHER = 100;

/**
 * Writes documents as HQ's files have them, through the same gate and store as everybody. Only values that differ from
 * what the last import wrote are written, so that an unchanged file never undoes what a person corrected since; what is
 * there already, or would take a monotone field back, is left. Safe to repeat after a crash. Throws where the gate
 * refuses what was checked before: the files and the field tables disagree.
 */
export async function putDocuments(folder: DocumentFolder, documents: readonly PutDocument[]): Promise<PutCounts> {
  const host = documentsOf(folder);
  const actor = actorPrefix(IMPORTER.device) + randomBytes(8).toString("hex");
  const pusher: Pusher = {
    connection: null,
    viewer: { device: IMPORTER.device, person: IMPORTER.by, role: IMPORTER.role, territories: ["*"] },
    waiting: new WaitingChanges(),
  };
  const counts = { created: 0, changed: 0, unchanged: 0 };
  let commits: Promise<void>[] = [];
  for (const document of documents) {
    const written = await compose(host, document, actor);
    if (written === null) {
      counts.unchanged += 1;
      continue;
    }
    if (written.born) counts.created += 1;
    else if (written.bytes.length > 0) counts.changed += 1;
    else counts.unchanged += 1;
    const { kind, key } = document;
    const { doc, bytes, imported } = written;
    if (bytes.length === 0) {
      commits.push(host.writer.run("noteImported", { doc, imported }));
    } else {
      const { done } = await judgePush({ n: 0, doc, kind, key, bytes, imported }, pusher, host);
      commits.push(
        done.then((outcome) => {
          const refused = "refusal" in outcome ? outcome.refusal : outcome.pushed.refused[0];
          assert(refused === undefined, `${kind} ${key} passes the gate: ${JSON.stringify(refused)}`);
        }),
      );
    }
    if (commits.length < TOGETHER) continue;
    await Promise.all(commits);
    commits = [];
  }
  await Promise.all(commits);
  // People come before documents in an import: who has other territories now is served accordingly at once.
  host.viewers.refresh();
  return counts;
}

interface Composed {
  readonly doc: string;
  readonly born: boolean;
  /** Change chunks; empty where only the memory of the import is new. */
  readonly bytes: Uint8Array;
  readonly imported: Readonly<Record<string, string>>;
}

async function compose(host: DocumentHost, document: PutDocument, actor: string): Promise<Composed | null> {
  const { kind, key, values } = document;
  const doc = documentId(host.workspace, kind, key);
  const row = host.registry.get(doc);
  const born = row === undefined && host.open.peek(doc) === undefined;
  const before = host.stored.imported(doc);
  const imported = Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, JSON.stringify(value)] as const)
      .filter(([name, value]) => before.get(name) !== value),
  );
  if (Object.keys(imported).length === 0 && !born) return null;
  if (row !== undefined && row.tombstone !== null) return null;
  const chunks: Uint8Array[] = [];
  let replica: Replica;
  if (born) {
    const { changes } = originOf(host.workspace, kind, key);
    chunks.push(...changes);
    replica = A.applyChanges(A.init<Record<string, unknown>>({ actor }), [...changes])[0];
  } else {
    const opened = await host.open.open({ doc, kind, key });
    assert(opened.ok, `${kind} ${key} can be read`);
    replica = A.clone(opened.value.replica, { actor });
  }
  const heads = A.getHeads(replica);
  replica = upgradeReplica(replica, kind).replica;
  const edits = Object.keys(imported)
    .map((name) => ({ ...placeIn(kind, name), value: values[name] ?? null }))
    .filter(({ field, column, value }) => differs(replica, kind, field, column, value, host.rules()));
  if (edits.length > 0) {
    replica = A.change(replica, { time: host.wallMs(), message: authorMessage(IMPORTER) }, (root) => {
      for (const { field, column, value } of edits) {
        const target = column === null ? root : (root[field] as Record<string, unknown>);
        target[column ?? field] = typeof value === "string" ? new A.ImmutableString(value) : value;
      }
    });
    chunks.push(...A.getChangesSince(replica, heads));
  }
  A.free(replica);
  return { doc, born, bytes: concatBytes(...chunks), imported };
}

/** `stopStore/2026-11-23/1` is the row `2026-11-23/1` of the column `stopStore`. */
function placeIn(kind: DocumentKind, name: string): { field: string; column: string | null } {
  const slash = name.indexOf("/");
  const field = slash < 0 ? name : name.slice(0, slash);
  const definition = documentKinds[kind].fields[field];
  assert(definition !== undefined && definition.column === slash >= 0, `${kind} has a field ${name}`);
  return { field, column: slash < 0 ? null : name.slice(slash + 1) };
}

function differs(
  replica: Replica,
  kind: DocumentKind,
  field: string,
  row: string | null,
  value: Scalar,
  rules: ReadingRules,
): boolean {
  assert(row === null || containerOf(replica, field, true) !== null, "a column is in its schema");
  const decision = decide(replica, kind, field, row, rules);
  const current = decision === null || decision === "merged" ? null : decision.winner.value;
  return current !== value && !goesBack(documentKinds[kind].fields[field] as FieldDefinition, current, value);
}
