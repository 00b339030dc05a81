import { limits } from "@sampai/engine/wire";
import { admit, admitHole, type AdmissionAnswer, type PlacedCandidate } from "./admit.ts";
import { admissionOf, type Admission } from "./admission.ts";
import type { AppendAnswer, PlacedAnswer, VerifiedBatch, VerifiedHole } from "./log.ts";
import type { DeviceLog, LogTransaction } from "./log-transaction.ts";

/** Admits a verified batch, event by event: what every adapter runs inside its transaction. */
export function appendBatch(log: LogTransaction, batch: Omit<VerifiedBatch, "workspace">): AppendAnswer {
  const { events, via } = batch;
  const device = log.device(batch.device);
  const revoked = !device.mayWrite();
  if (!revoked && wouldHoldTooMany(device, events)) return { refused: "relay.busy" };
  const admission = admissionOf(log, device, { via, hashes: new Set(events.map(({ hash }) => hash)) });
  const answers = events.map((event) => {
    const answer = admit(admission.state, event, revoked);
    noteUnplaced(log, device, admission, via, event, answer);
    return answer;
  });
  return { term: log.term, answers: answers.map((answer) => withOwnTerm(log, answer)) };
}

/** Records a declared hole. Ignored for a revoked device, and for what is here or declared already. */
export function declareHole(log: LogTransaction, hole: Omit<VerifiedHole, "workspace">): void {
  const { run, seq, hash } = hole;
  const device = log.device(hole.device);
  if (!device.mayWrite()) return;
  const position = log.head();
  admitHole(admissionOf(log, device, { via: "hole", hashes: new Set() }).state, { run, seq, hash });
  if (log.head() === position) return;
  log.note({ topic: "admission", device: device.device, item: hash, detail: { answer: "hole", position, run, seq } });
}

/** Admits what lies in quarantine of devices that may write (again). */
export function rejudgeQuarantine(log: LogTransaction): void {
  for (const { device: name, events } of log.takeQuarantined()) {
    const hashes = new Set(events.map(({ hash }) => hash));
    const { state } = admissionOf(log, log.device(name), { via: "quarantine", hashes });
    for (const event of events) admit(state, event, false);
  }
}

/** A duplicate's place is in the term of its leaf, whatever term it is now: only so the receipt outlives a restore. */
function withOwnTerm(log: LogTransaction, answer: AdmissionAnswer): PlacedAnswer {
  if (answer.answer !== "duplicate") return answer;
  const term = log.termAt(answer.position);
  return term === log.term ? answer : { ...answer, term };
}

// The events of a batch are one chain, so its first event decides whether all of them would wait.
function wouldHoldTooMany(device: DeviceLog, events: readonly PlacedCandidate[]): boolean {
  if (device.heldCount() + events.length <= limits.heldEvents) return false;
  const first = events[0] as PlacedCandidate;
  const last = events.at(-1) as PlacedCandidate;
  if (first.prev === null || device.positionOf(first.prev) !== undefined || device.isHole(first.prev)) return false;
  return device.positionOf(first.hash) === undefined && !device.isHeld(last.hash);
}

/**
 * A trail row under the offline id for an event that got no place now; placed ones have theirs. The same answer again
 * is counted, and noted the 1st, 2nd, 4th, 8th … time, so that a phone that never stops sending cannot fill the disk.
 */
function noteUnplaced(
  log: LogTransaction,
  device: DeviceLog,
  admission: Admission,
  via: string,
  event: PlacedCandidate,
  answer: AdmissionAnswer,
): void {
  if (answer.answer === "placed" || answer.answer === "branch") return;
  const { id, kind } = admission.contentOf(event);
  const { hash, ...rest } = answer;
  const { run, seq } = event;
  const times = device.countAnswer(hash, answer.answer);
  if (!Number.isInteger(Math.log2(times))) return;
  log.note({
    topic: answer.answer === "quarantined" ? "refusal" : "admission",
    device: device.device,
    item: id ?? hash,
    detail: { ...rest, times, run, seq, via, ...(kind === null ? {} : { kind }) },
  });
}
