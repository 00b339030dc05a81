import { foldWhenMany } from "./chunk-keeping.ts";
import { hasGenesis } from "./genesis.ts";
import { isComplete } from "./replica-loading.ts";
import { summarize, type Shelf } from "./shelf.ts";

/** Documents read in one idle turn: about 1 ms each, so that no turn blocks a screen. */
const DOCUMENTS_A_TURN = 8;

/**
 * Keeps the summaries of documents that changed while they were closed. Their bytes are written as they come and the
 * index row is marked stale in the same commit; idle turns then read a few at a time, so that a cold feed of 500
 * stores blocks nothing, and a restart goes on where it stopped. The same reading finds what is damaged or incomplete.
 */
export function keepSummaries(shelf: Shelf, changed: (docs: readonly string[]) => void, work: () => void) {
  const { clock } = shelf.deps;
  let cancel: (() => void) | null = null;
  let running = false;
  let stopped = false;
  let again = new Set<string>();
  let waiting: (() => void)[] = [];
  const stale = () => [...shelf.index].filter(([doc, entry]) => entry.stale || again.has(doc)).map(([doc]) => doc);

  function wake() {
    if (stopped || running || cancel !== null) return;
    if (stale().length === 0) return finish();
    cancel = clock.after(0, () => {
      cancel = null;
      running = true;
      void turn().then(
        () => {
          running = false;
          wake();
        },
        (broken: unknown) => {
          stopped = true;
          throw broken;
        },
      );
    });
  }

  function finish() {
    const done = waiting;
    waiting = [];
    for (const resolve of done) resolve();
  }

  async function turn() {
    const docs = stale().slice(0, DOCUMENTS_A_TURN);
    await shelf.lockedAll(docs, async () => {
      const draft = shelf.begin();
      let anyDoubt = false;
      for (const doc of docs) {
        again.delete(doc);
        const entry = shelf.index.get(doc);
        if (entry === undefined) continue;
        const opened = shelf.opened(doc);
        const loaded = opened === undefined ? await shelf.load(doc, entry, true) : null;
        const replica = opened ?? loaded?.replica;
        if (replica === undefined) continue;
        let doubted = false;
        const whole = loaded === null ? isComplete(replica, entry.heads) : loaded.whole;
        if (!whole || !hasGenesis(replica, entry.kind)) {
          // Opening puts damaged chunks aside and notes the doubt; the summary stays as good as it can be.
          if (opened === undefined) await shelf.open(doc);
          doubted = true;
        }
        anyDoubt ||= doubted;
        const known = shelf.index.get(doc) ?? entry;
        const read = { ...known, ...summarize(replica, entry.kind, shelf.deps), doubted: known.doubted || doubted };
        draft.entry(doc, foldWhenMany(shelf, draft, doc, read, replica));
      }
      await draft.commit();
      changed(docs);
      if (anyDoubt) work();
    });
  }

  wake();
  return {
    wake,
    /** Reads every summary again, because the rules by which it is read changed. */
    refresh: () => {
      again = new Set(shelf.index.keys());
      wake();
    },
    settled: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (stopped) finish();
        else wake();
      }),
    stop: () => {
      stopped = true;
      cancel?.();
      cancel = null;
      finish();
    },
  };
}
