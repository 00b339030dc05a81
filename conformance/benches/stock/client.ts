// Clients of automerge-repo 2.5.6 with their own websocket adapter, driven by JSON lines. Several in one process, as
// the bench asks for; each is a Repo of its own.
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { ImmutableString } from "@automerge/automerge";
import { Repo, type AutomergeUrl, type DocHandle, type StorageAdapterInterface } from "@automerge/automerge-repo";
import { WebSocketClientAdapter } from "@automerge/automerge-repo-network-websocket";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";

interface Master {
  name: ImmutableString;
  facings: Record<string, number>;
  registrationNumber: ImmutableString;
}
interface Line {
  readonly n: number;
  readonly do: string;
  /** Null: it stays offline. */
  readonly url: string | null;
  readonly dir: string | null;
  readonly docs: readonly string[];
  readonly repos?: number;
  /** So many documents for each Repo, in order; all of them where it is absent. */
  readonly each?: number;
  readonly edits: number;
  readonly perSecond: number;
}

performance.mark("loaded");
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
process.on("unhandledRejection", () => {
  // A stock client ends here; the bench counts what arrived instead.
});
/** A document that does not come within this time is missing. */
const FIND_MS = 90_000;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const repos: Repo[] = [];
const handles: DocHandle<Master>[][] = [];
const latenciesMs: number[] = [];

/** Where its connection is not up within a second, a stock client calls a document unavailable: an app asks again. */
async function find(repo: Repo, doc: string): Promise<DocHandle<Master> | null> {
  const untilMs = nowMs() + FIND_MS;
  for (;;) {
    try {
      return await repo.find<Master>(`automerge:${doc}` as AutomergeUrl);
    } catch {
      if (nowMs() > untilMs) return null;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function open({ url, dir, docs, repos: count, each }: Line): Promise<object> {
  let unavailable = 0;
  const opened = await Promise.all(
    Array.from({ length: count ?? 1 }, async (_, index) => {
      const storage: StorageAdapterInterface | undefined = dir === null ? undefined : new NodeFSStorageAdapter(dir);
      const repo = new Repo({
        network: url === null ? [] : [new WebSocketClientAdapter(url)],
        ...(storage === undefined ? {} : { storage }),
      });
      repos.push(repo);
      const found = await Promise.all(
        (each === undefined ? docs : docs.slice(index * each, (index + 1) * each)).map(async (doc) => {
          const handle = await find(repo, doc);
          if (handle === null) unavailable += 1;
          return handle;
        }),
      );
      return found.filter((handle) => handle !== null);
    }),
  );
  handles.push(...opened);
  return { unavailable };
}

/** Notes how long each change of the writers was under way: its time stands in a code field. */
function watch(): object {
  for (const handle of handles.flat()) {
    handle.on("change", ({ doc, patches }) => {
      if (!patches.some(({ path }) => path[0] === "registrationNumber")) return;
      const sentMs = Number(String(doc.registrationNumber));
      if (sentMs > 0) latenciesMs.push(nowMs() - sentMs);
    });
  }
  return {};
}

/** Writes `edits` changes, one document after the other, `perSecond` together. */
async function write({ edits, perSecond }: Line): Promise<object> {
  const own = handles.flat();
  const started = nowMs();
  for (let sent = 0; sent < edits;) {
    const due = Math.min(edits, 1 + Math.floor(((nowMs() - started) / 1_000) * perSecond));
    for (; sent < due; sent += 1) {
      own[sent % own.length]?.change((doc) => {
        doc.registrationNumber = new ImmutableString(String(nowMs()));
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return { tookMs: nowMs() - started };
}

/** What a first screen shows: a stock client has no index, so it has to open what it lists. */
const list = () => handles.flat().map((handle) => String(handle.doc().name));

let before: Promise<unknown> = Promise.resolve();
createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text) as Line;
  const verbs: Record<string, () => object | Promise<object>> = {
    open: () => open(line),
    list,
    watch,
    write: () => write(line),
    latencies: () => ({ latenciesMs: latenciesMs.splice(0) }),
    flush: async () => {
      for (const repo of repos) await repo.flush().catch(() => undefined);
      return {};
    },
  };
  // One after the other, as they were asked.
  const run = before.then(() => verbs[line.do]?.() ?? {});
  before = run.catch(() => undefined);
  run.then(
    (value) => say({ n: line.n, value }),
    (error: unknown) => say({ n: line.n, error: String(error) }),
  );
});
say({ ready: true });
