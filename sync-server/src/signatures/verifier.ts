import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { isPublicKey } from "./ed25519.ts";
import { pack, type Signed } from "./packed.ts";

/** Answers false, never throws, for a wrong signature or key. `publicKey` is hexadecimal. */
export type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: string) => Promise<boolean>;

/** Checks signatures in a thread of its own, off the relay's main loop, and answers them in the order in which it was asked. */
export interface Verifier {
  readonly verify: Verify;
  /** What was asked before is answered first. */
  close(): Promise<void>;
}

const SIGNATURE_BYTES = 64;
/** So many go over in one message: few enough that the thread has begun while the loop reads the next frames. */
const TOGETHER = 8;

/** `onBroken` is told when the thread ended, which it never does by itself. */
export function startVerifier(onBroken: (reason: string) => void): Verifier {
  const worker = new Worker(new URL("./verifier-thread.ts", import.meta.url));
  const asked: ((valid: boolean) => void)[][] = [];
  let signed: Signed[] = [];
  let waiting: ((valid: boolean) => void)[] = [];
  const send = () => {
    if (signed.length === 0) return;
    const packed = pack(signed);
    worker.postMessage(packed, [packed.buffer]);
    asked.push(waiting);
    signed = [];
    waiting = [];
  };
  worker.on("message", (answers: readonly boolean[]) => {
    for (const [index, resolve] of (asked.shift() ?? []).entries()) resolve(answers[index] === true);
  });
  worker.on("error", (error) => onBroken(String(error)));
  return {
    verify: (signature, message, publicKey) => {
      if (signature.length !== SIGNATURE_BYTES || !isPublicKey(publicKey)) return Promise.resolve(false);
      return new Promise((resolve) => {
        if (signed.length === 0) setImmediate(send);
        signed.push({ publicKey, signature, message });
        waiting.push(resolve);
        if (signed.length === TOGETHER) send();
      });
    },
    close: async () => {
      send();
      while (asked.length > 0) await once(worker, "message");
      await worker.terminate();
    },
  };
}
