/**
 * One capturing writer per device: two tabs that number events side by side would break the chain. The lock is the
 * browser's own (Web Locks); a page that dies gives it back.
 */
export interface EngineLock {
  /** Called once when another tab took the lock over: this page must stop capturing at once. */
  onLost(listener: () => void): void;
  release(): void;
}

/** `held`: another tab has it. `unsupported`: this page is not in a secure context, so there are no locks. */
export type LockFailure = "held" | "unsupported";

export async function takeEngineLock(device: string, takeOver: boolean): Promise<EngineLock | LockFailure> {
  if (!("locks" in navigator)) return "unsupported";
  const name = `sampai/${device}`;
  return new Promise((resolve) => {
    let lost: (() => void) | undefined;
    let isLost = false;
    let release: (() => void) | undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    navigator.locks
      .request(name, takeOver ? { steal: true } : { ifAvailable: true }, (lock) => {
        if (lock === null) {
          resolve("held");
          return undefined;
        }
        resolve({
          onLost: (listener) => {
            lost = listener;
            if (isLost) listener();
          },
          release: () => release?.(),
        });
        return held;
      })
      // The request ends with an AbortError when another tab steals the lock.
      .catch(() => {
        isLost = true;
        lost?.();
      });
  });
}
