const undone = new Set<() => void>();
let isWatching = false;

/**
 * Runs `undo` when this process ends, also by Ctrl-C or SIGTERM: what came last goes first. `undo` cannot wait for
 * anything, and MUST be harmless where there is nothing left to undo. The answer forgets it.
 */
export function atEnd(undo: () => void): () => void {
  if (!isWatching) watch();
  undone.add(undo);
  return () => undone.delete(undo);
}

function watch(): void {
  isWatching = true;
  process.once("exit", () => {
    for (const undo of [...undone].toReversed()) undo();
  });
  // The shell's own codes for an end by a signal.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
