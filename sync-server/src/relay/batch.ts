import { eventHash, readEvent } from "@sampai/engine";
import { err, ok, type Result } from "@sampai/engine/core";
import { batchMessage, limits, type AppendMessage, type Refusal } from "@sampai/engine/wire";
import type { PlacedCandidate } from "../order-log/admit.ts";
import type { Verify } from "../signatures/verifier.ts";

/**
 * Verifies a batch without reading what its events say: sizes, the chain of hashes from each event to the next, and the
 * one signature over the last. Answers the events with their hashes, in order.
 */
export async function verifyBatch(
  batch: Pick<AppendMessage, "run" | "events" | "signature">,
  sender: { workspace: string; device: string; publicKey: string },
  verify: Verify,
): Promise<Result<readonly PlacedCandidate[], Refusal>> {
  const { run, signature } = batch;
  const events: PlacedCandidate[] = [];
  for (const item of batch.events) {
    const { seq, prev } = item;
    if (item.bytes.length > limits.eventBytes) return err({ code: "batch.oversized", detail: `seq ${seq}` });
    const before = events.at(-1);
    if (seq > 1 && prev === null) return err({ code: "batch.chain", detail: `seq ${seq} follows nothing` });
    if (before !== undefined && (seq !== before.seq + 1 || prev !== before.hash)) {
      return err({ code: "batch.chain", detail: `seq ${seq} does not follow seq ${before.seq}` });
    }
    // A copy of its own: the frame's buffer may be far larger, and all of it would travel to the writer's thread.
    const bytes = new Uint8Array(item.bytes);
    events.push({ run, seq, prev, hash: eventHash(bytes), bytes, signature: null });
  }
  const last = events.at(-1) as PlacedCandidate;
  const { workspace, device, publicKey } = sender;
  if (await verify(signature, batchMessage({ workspace, device, ...last }), publicKey)) {
    return ok([...events.slice(0, -1), { ...last, signature: new Uint8Array(signature) }]);
  }
  return err(whyUnsigned(last, sender));
}

// Only to say it well: what does not verify is refused, whatever it reads like.
function whyUnsigned(last: PlacedCandidate, sender: { workspace: string; device: string }): Refusal {
  const read = readEvent(last.bytes);
  if (read.ok && read.value.workspace !== sender.workspace) return { code: "batch.workspace", detail: "workspace" };
  if (read.ok && read.value.device !== sender.device) return { code: "batch.workspace", detail: "device" };
  return { code: "batch.signature" };
}
