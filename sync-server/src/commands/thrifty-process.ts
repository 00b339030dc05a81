import path from "node:path";

const FLAGS = [
  /**
   * V8 lets the young generation of each thread grow to 64 MB on a large machine, which is filled with what has been
   * forgotten already; 4 MB cost a relay no more processor time.
   */
  "--max-semi-space-size=4",
  // On heaps this small, to wake V8's helper threads costs more than they save.
  "--no-parallel-scavenge",
  "--no-concurrent-sweeping",
  "--no-concurrent-array-buffer-sweeping",
] as const;
const ENVIRONMENT = {
  /** Compiled code and TypeScript without its types: no thread needs the compiler for what was compiled before. */
  NODE_COMPILE_CACHE: path.join(import.meta.dirname, "../../../node_modules/.cache/sampai"),
  /** Pools of glibc's allocator: by default each thread has its own, and keeps what is free in it. */
  MALLOC_ARENA_MAX: "2",
} as const;

/**
 * Replaces this process by the same one that takes less memory, because these settings cannot be changed once it runs:
 * process id and standard streams stay. Does nothing where it has them already, and on Windows, which cannot replace a
 * process. What the environment sets already is kept.
 */
export function asThriftyProcess(): void {
  const { execArgv, argv, execPath, env, platform } = process;
  if (platform === "win32" || FLAGS.every((flag) => execArgv.includes(flag))) return;
  process.execve?.(execPath, [execPath, ...FLAGS, ...execArgv, ...argv.slice(1)], { ...ENVIRONMENT, ...env });
}
